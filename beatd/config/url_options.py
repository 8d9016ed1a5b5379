"""Refuse unknown options after the `?` of a URL.

Most drivers ignore an unknown option, or fail with a traceback at the first use. The options of
PostgreSQL are not checked here: its driver reports unknown ones, and newer versions have more.
"""

from urllib.parse import parse_qsl

from beatd.errors import ConfigError, nearest

_TLS = ("ssl_ca_certs", "ssl_ca_data", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile",
        "ssl_check_hostname", "ssl_ciphers", "ssl_keyfile", "ssl_min_version", "ssl_password",
        "ssl_validate_ocsp", "ssl_validate_ocsp_stapled", "ssl_include_verify_flags",
        "ssl_exclude_verify_flags")  # fmt: skip
CERT_REQS = ("none", "optional", "required")
_CELERY_CERT_REQS = {f"CERT_{word.upper()}": word for word in CERT_REQS}
_WAITS = ("socket_timeout", "socket_connect_timeout", "health_check_interval")
REDIS = ("db", "username", "password", *_WAITS, "socket_keepalive", "socket_read_size",
         "max_connections", "protocol", "client_name", *_TLS)  # fmt: skip
SENTINEL = ("master_name", "db", "ssl", "sentinel_username", "sentinel_password", *_WAITS, *_TLS)
CLUSTER = ("ssl", *_WAITS, *_TLS)
MYSQL = ("charset", "collation", "unix_socket", "bind_address", "init_command", "sql_mode",
         "client_flag", "connect_timeout", "read_timeout", "write_timeout", "max_allowed_packet",
         "local_infile", "program_name", "read_default_file", "read_default_group", "use_unicode",
         "server_public_key", "auth_plugin_map", "ssl_ca", "ssl_cert", "ssl_key",
         "ssl_key_password", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity",
         "ssl_check_hostname", "ssl_capath", "ssl_cipher")  # fmt: skip
BROKER = ("userid", "password", "virtual_host", "port", "ssl", "connect_timeout", "login_method",
          "heartbeat", "credential_provider")  # fmt: skip
# Schemes whose URL kombu parses itself; others have a form of their own.
_BROKERS = ("amqp", "amqps", "pyamqp", "redis", "rediss", "sentinel", "filesystem", "memory")
_PLACES: dict[str, tuple[str, ...]] = {
    "none": (),
    "memory": (),
    "shelve": (),
    "file": (),
    "sqlite": (),
    "redis": REDIS,
    "rediss": REDIS,
    "unix": REDIS,
    "redis+socket": REDIS,
    "sentinel": SENTINEL,
    "redis+sentinel": SENTINEL,
    "redis+cluster": CLUSTER,
    "rediss+cluster": CLUSTER,
    "mysql": MYSQL,
    "mariadb": MYSQL,
}


def refuse_unknown_options(section: str, url: str) -> None:
    """Raise ConfigError if an option after the `?` of the URL is unknown or invalid.

    `section` is "store", "lock" or "broker". The message shows only the value of `ssl_cert_reqs`,
    because other values may be secret.
    """
    for part in url.split(";") if section == "broker" else (url,):
        _refuse(section, part)


def _refuse(section: str, url: str) -> None:
    scheme = url.partition(":")[0].lower()
    known = _known(section, scheme)
    query = url.partition("?")[2].partition("#")[0]
    if known is None or not query:
        return
    if "@" in query:
        # The text before the @ may be the end of a password.
        raise ConfigError("has a ? before its @; a ? in the password is written %3F")
    for name, value in parse_qsl(query, keep_blank_values=True):
        # kombu knows celery's words too.
        word = _CELERY_CERT_REQS.get(value, value) if section == "broker" else value
        if name == "ssl_cert_reqs" and word not in CERT_REQS:
            raise ConfigError(f"{name}: {value[:40]!r}; try one of {', '.join(CERT_REQS)}")
        if name in known or (section == "broker" and name.startswith("ssl_")):
            continue
        if not known:
            raise ConfigError(f"{scheme}: has no options, and {name[:40]!r} is one; remove it")
        hint = nearest(name, known) or _some(known)
        also = "; others go under transport_options" if section == "broker" else ""
        raise ConfigError(f"{scheme}: has no option {name[:40]!r}{hint}{also}")


def _some(known: tuple[str, ...]) -> str:
    more = f" and {len(known) - 9} more" if len(known) > 9 else ""
    return f"; known are {', '.join(known[:9])}{more}"


def _known(section: str, scheme: str) -> tuple[str, ...] | None:
    # The result is None if the driver of the scheme checks the names itself.
    if section == "broker":
        return BROKER if scheme in _BROKERS else None
    scheme = scheme.removeprefix("django-celery-beat+")
    if scheme in _PLACES:
        return _PLACES[scheme]
    return _PLACES.get(scheme.partition("+")[0]) if "+" in scheme else None
