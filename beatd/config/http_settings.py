"""List the keys of the configuration's section `http`, with their kinds and JSON Schemas."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from beatd.config.values import Role
from beatd.definition.fields import Field
from beatd.definition.kinds import Kind
from beatd.errors import ConfigError
from beatd.schedules.quote import quoted

_HOST = re.compile(r"^([A-Za-z0-9_.-]+|[0-9A-Fa-f:]+)$")
#: Names of tokens: they are a part of a cookie, and of the author of a change.
TOKEN_NAME = r"^[A-Za-z0-9._@-]{1,64}$"
HEADER_NAME = r"^[A-Za-z0-9-]+$"
PORT_DIGITS_MAX = 5
ROLES: tuple[Role, ...] = get_args(Role)


def _address(value: Any, _tz: str) -> tuple[str, int]:
    """Return the host and the port of a text like "127.0.0.1:9753".

    Raises ConfigError for a port without a host, because the host decides which machines can reach
    the server.
    """
    text = value if isinstance(value, str) else ""
    host, colon, port = text.strip().rpartition(":")
    is_number = port.isascii() and port.isdigit() and len(port) <= PORT_DIGITS_MAX
    if not (colon and host and is_number and int(port) < 65536):
        raise ConfigError(f"{quoted(value)} is not host:port; write it like 127.0.0.1:9753")
    return host.strip("[]"), int(port)


def _hosts(value: Any, _tz: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(x, str) and _HOST.match(x) for x in names):
        raise ConfigError(
            f"{quoted(value)} is not a list of names without ports; write it like [beat.example]"
        )
    return tuple(str(name) for name in names)


def _mapping_like(example: str) -> Any:
    # What is in the mapping is read by `beatd.config.http_section`.

    def read(value: Any, _tz: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(f"is not a mapping; write it like {example}")
        return value

    return read


_TEXT = {"type": "string", "minLength": 1}
_ROLE = {"enum": list(ROLES)}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


_TOKENS = {
    "type": "object",
    "propertyNames": {"pattern": TOKEN_NAME},
    "additionalProperties": _object({"role": _ROLE, "secret_file": _TEXT}, "role", "secret_file"),
}
_PROXY = _object(
    {
        "user_header": {"type": "string", "pattern": HEADER_NAME},
        "from": {"anyOf": [{"type": "array", "items": _TEXT, "minItems": 1}, _TEXT]},
        "roles": {"type": "object", "additionalProperties": _ROLE},
    },
    "user_header",
    "from",
)
_TLS = _object({"cert": _TEXT, "key": _TEXT}, "cert", "key")

HTTP_FIELDS: tuple[Field, ...] = (
    Field(
        "bind",
        Kind(_address, {"type": "string", "pattern": r"^.+:[0-9]{1,5}$"}),
        "Where the pages, the API and /live /ready /metrics /status answer; off when left out.",
    ),
    Field(
        "hosts",
        Kind(_hosts, {"type": "array", "items": {"type": "string", "pattern": _HOST.pattern}}),
        "Further names that clients may call this daemon by (the Host header).",
        [],
    ),
    Field(
        "tokens",
        Kind(_mapping_like("{ann: {role: editor, secret_file: PATH}}"), _TOKENS),
        "Who may sign in: {NAME: {role: viewer | operator | editor, secret_file: PATH}}.",
        {},
    ),
    Field(
        "proxy",
        Kind(_mapping_like("{user_header: X-User, from: [10.0.0.1]}"), _PROXY),
        "A proxy that signs people in: {user_header, from: [ADDRESS], roles: {USER: role}}.",
    ),
    Field(
        "tls",
        Kind(_mapping_like("{cert: PATH, key: PATH}"), _TLS),
        "The certificate and its key, as PEM files: {cert, key}.",
    ),
)
