"""The table of all configuration keys, used to read, check and describe them."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from beatd.config.http_settings import HTTP_FIELDS
from beatd.definition import kinds
from beatd.definition.fields import Field
from beatd.definition.kinds import Kind
from beatd.errors import ConfigError
from beatd.schedules.quote import quoted
from beatd.secret import Secret

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")


def url(example: str, *words: str) -> Kind:
    """Return the rules for reading a URL, or one of `words`, from YAML.

    Error messages show `example` instead of the value, which may have a password in it.
    """

    def read(value: Any, _tz: str) -> str:
        if not isinstance(value, str):
            raise ConfigError(f"{quoted(value)} is not a URL; write it like {example}")
        text = value.strip()
        if text in words:
            return text
        if not text:
            raise ConfigError(f"is empty; write it like {example}")
        if not _SCHEME.match(text):
            raise ConfigError(f"does not begin with a scheme; write it like {example}")
        if not text.isprintable() or " " in text:
            raise ConfigError("has blanks or control characters in it; write them as %20")
        try:
            for part in text.split(";"):
                urlsplit(part).port  # noqa: B018
        except ValueError as error:
            fault = (
                "the port is no number from 0 to 65535" if "ort" in str(error) else "is malformed"
            )
            raise ConfigError(f"{fault}; write it like {example}") from None
        return text

    return Kind(read, {"type": "string", "minLength": 1, "examples": [example]})


def _ssl(value: Any, tz: str) -> Any:
    if isinstance(value, Mapping):
        return kinds.json_mapping().read(value, tz)
    return kinds.flag().read(value, tz)


_SENTRY_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        key: {"type": "string", "minLength": 1} for key in ("dsn", "dsn_file", "environment")
    },
}


def _sentry(value: Any, _tz: str) -> dict[str, str]:
    keys: dict[str, Any] = _SENTRY_SCHEMA["properties"]  # type: ignore[assignment]
    if not isinstance(value, Mapping):
        raise ConfigError("is not a mapping; write it like {dsn_file: /etc/beatd/sentry-dsn}")
    for key, text in value.items():
        if key not in keys:
            raise ConfigError(f"{quoted(key)} is not one of its keys; it has {', '.join(keys)}")
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{key}: {quoted(text)} is not text; put it in quotes")
    if ("dsn" in value) == ("dsn_file" in value):
        raise ConfigError(
            "needs a dsn or a dsn_file, and not both; write {dsn_file: /etc/beatd/sentry-dsn}"
        )
    return dict(value)


def _places(value: Any, _tz: str) -> tuple[str, ...]:
    places = [value] if isinstance(value, str) else value
    if not isinstance(places, list) or not all(isinstance(x, str) and x.strip() for x in places):
        raise ConfigError(f"{quoted(value)} is not a list of paths; write it like [schedules/]")
    return tuple(str(place) for place in places)


def _channels(value: Any, tz: str) -> tuple[str, ...]:
    # The text of an error does not show the URL.
    urls = [value] if isinstance(value, str) else value
    if not isinstance(urls, list):
        raise ConfigError("is not a list of URLs; write it like [mailtos://…, https://…]")
    found = []
    for number, one in enumerate(urls):
        try:
            if not isinstance(one, str) or not _CHANNEL.match(one.strip()):
                raise ConfigError("is not a URL; write it like https://example.com/hook")
            if not one.strip().isprintable() or " " in one.strip():
                raise ConfigError("has blanks or control characters in it; write them as %20")
        except ConfigError as error:
            raise ConfigError(f"number {number + 1} {error}") from None
        found.append(Secret(one.strip()))
    return tuple(found)


def _ping(value: Any, tz: str) -> str:
    if not isinstance(value, str) or not value.strip().startswith(("http://", "https://")):
        raise ConfigError("is not a URL that can be pinged; write it like https://hc.example/UUID")
    try:
        return _channels(value, tz)[0]
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("number 1 ")) from None


def _module(value: Any, tz: str) -> str:
    text = str(kinds.text("a module").read(value, tz)).strip()
    if not re.fullmatch(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*(\(\))?)?", text):
        raise ConfigError(f"{quoted(text)} is not a module; write it like proj.celery:app")
    return text


_PATH = kinds.text("a path")
_WORD = kinds.text("a word", 100)


def _queue(value: Any, tz: str) -> str:
    text = str(_WORD.read(value, tz)).strip()
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):  # it is part of a file's name on some brokers
        raise ConfigError(
            f"{quoted(value)} is not a name of letters, digits, dots, - and _; "
            "write it like beatd.outcomes"
        )
    return text


_QUEUE = Kind(_queue, {"type": "string", "pattern": r"^[A-Za-z0-9._-]+$"})

TOP: tuple[Field, ...] = (
    Field("name", _WORD, "Owner of what is declared here; the same on every host.", "config"),
    Field(
        "timezone",
        kinds.zone(),
        "Zone of entries without tz, and of moments without offset.",
        "UTC",
    ),
    Field(
        "app",
        Kind(_module, {"type": "string"}),
        "A Celery app: broker, routes, queues, beat_schedule.",
    ),
    Field(
        "schedules",
        Kind(_places, {"type": "array", "items": {"type": "string", "minLength": 1}}),
        "YAML entry files, folders, globs: applied to the store and watched.",
        [],
    ),
)

_SECRETS = "read from a file, such as a mounted secret."
SECTIONS: dict[str, tuple[Field, ...]] = {
    "broker": (
        Field("url", url("redis://localhost:6379/0"), "Where tasks are published: any kombu URL."),
        Field("url_file", _PATH, f"The URL, {_SECRETS}"),
        Field("password_file", _PATH, f"The password of the URL, {_SECRETS}"),
        Field("timeout", kinds.duration(above_zero=True), "The longest wait for one answer.", "2s"),
        Field(
            "transport_options", kinds.json_mapping(), "As broker_transport_options in Celery.", {}
        ),
        Field(
            "ssl",
            Kind(_ssl, {"anyOf": [{"type": "boolean"}, {"type": "object"}]}),
            "As broker_use_ssl in Celery.",
        ),
        Field("login_method", _WORD, "As broker_login_method in Celery."),
        Field(
            "failover_strategy",
            kinds.choice("round-robin", "shuffle"),
            "Which of several URLs is tried next.",
        ),
    ),
    "store": (
        Field(
            "url",
            url("postgresql://beatd@localhost/beatd", "memory:", "memory"),
            "memory:, shelve:PATH, sqlite:///PATH, postgresql://, mysql:// or redis://.",
            "sqlite:///beatd.db",
        ),
        Field("url_file", _PATH, f"The URL, {_SECRETS}"),
        Field("password_file", _PATH, f"The password of the URL, {_SECRETS}"),
        Field("prefix", _WORD, "What Redis keys begin with.", "beatd:"),
    ),
    "lock": (
        Field(
            "url",
            url("redis://localhost:6379/0", "none"),
            "Who may lead; the store's URL when left out.",
        ),
        Field("url_file", _PATH, f"The URL, {_SECRETS}"),
        Field("password_file", _PATH, f"The password of the URL, {_SECRETS}"),
        Field(
            "ttl", kinds.duration(above_zero=True), "A leader silent for so long is replaced.", "2s"
        ),
    ),
    "http": HTTP_FIELDS,
    "monitors": (
        Field(
            "sentry",
            Kind(_sentry, _SENTRY_SCHEMA),
            "Check-ins of entries with `monitor: {sentry: true}`: {dsn_file: PATH}.",
        ),
    ),
    "alerts": (
        Field(
            "to",
            Kind(_channels, {"type": "array", "items": {"type": "string", "minLength": 1}}),
            "Where messages go: URLs of Apprise, or https:// for a webhook.",
            [],
        ),
        Field(
            "wait",
            kinds.duration(above_zero=True),
            "How long incidents with one cause are gathered into one message.",
            "30s",
        ),
        Field(
            "again",
            kinds.duration(above_zero=True),
            "How often a reminder of all open incidents is sent; never when left out.",
        ),
        Field(
            "heartbeat",
            Kind(_ping, {"type": "string", "minLength": 1}),
            "A URL of a monitor elsewhere, which the leader requests each 30 s.",
        ),
        Field("secret_file", _PATH, f"The secret that signs webhooks, {_SECRETS}"),
    ),
    "log": (
        Field("level", kinds.choice("debug", "info", "warning", "error"), "How much.", "info"),
        Field("format", kinds.choice("text", "json"), "For people or for programs.", "text"),
    ),
    "history": (
        Field("keep", kinds.duration(above_zero=True), "How long records of runs are kept.", "7d"),
        Field("records", kinds.whole(1000), "How many are kept at most.", 1_000_000),
        Field(
            "changes",
            kinds.duration(above_zero=True),
            "How long changes of entries are kept.",
            "365d",
        ),
    ),
    "outcomes": (
        Field(
            "from",
            kinds.choice("reports", "results", "off"),
            "Who knows what became of runs: reports of workers, the app's result backend, nobody.",
            "reports",
        ),
        Field("queue", _QUEUE, "The queue of the reports, on the broker.", "beatd.outcomes"),
    ),
}

#: Sections that may be written as their URL alone.
BY_URL = ("broker", "store", "lock")
ABOUT = {
    "broker": "Where tasks are published; the app's broker when left out.",
    "store": "Where entries and runs are kept.",
    "lock": "How one leader is elected.",
    "defaults": "For the entries declared here and in schedules.",
    "entries": "What to run, by name.",
    "http": "Pages, API, health and metrics.",
    "monitors": "Monitors elsewhere that learn how runs end.",
    "alerts": "Who is told of incidents; without this section nothing is judged.",
    "log": "The daemon's log, on stderr.",
    "history": "How much of the past is kept.",
    "outcomes": "What became of runs in the workers.",
}
KEYS = (*(field.name for field in TOP), *ABOUT)
