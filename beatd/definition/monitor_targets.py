"""Read and write an entry's `monitor`: the external monitors to which its runs are reported."""

from typing import Any
from urllib.parse import urlsplit

from beatd.definition.kinds import Kind, flag
from beatd.definition.struct_kind import StructKind
from beatd.entry import Monitor
from beatd.errors import ConfigError
from beatd.schedules.quote import quoted

_EXAMPLE = "https://hc-ping.com/2ab5c1d2-…"


def _url(value: Any, _tz: str) -> str:
    """Return the URL of a monitor; raise ConfigError if it is not an http or https URL."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or not text.isprintable() or " " in text:
        raise ConfigError(f"{quoted(value)} is not a URL; write it like {_EXAMPLE}")
    return text


_PING = Kind(_url, {"type": "string", "pattern": "^https?://", "examples": [_EXAMPLE]})


def _kind_of(name: str, _of_type: Any) -> Kind:
    return _PING if name == "ping" else flag()


MONITOR_TARGETS = StructKind(
    Monitor, kind_of=_kind_of, example=f"{{ping: {_EXAMPLE}}}", shorthand="ping"
)
