"""Read and write `alert`, the rules by which incidents of an entry are opened and closed."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, get_args

from msgspec import json, structs

from beatd.definition.kinds import Kind, duration, mapping, whole
from beatd.entry import Alert
from beatd.errors import ConfigError, nearest
from beatd.schedules.quote import quoted


def _kinds() -> Iterator[tuple[str, Kind, str, Any]]:
    """Yield the name, the `Kind`, the help text and the default of each field of `Alert`."""
    for field in structs.fields(Alert):
        of_type, about = get_args(field.type)
        is_length = timedelta in get_args(of_type)
        kind = duration(above_zero=True) if is_length else whole(1)
        yield field.name, kind, about, field.default


_KINDS = tuple(_kinds())
_KIND_OF = {name: kind for name, kind, _, _ in _KINDS}
KEYS = tuple(_KIND_OF)


def rules() -> Kind:
    """Return the `Kind` (how a YAML value is read, checked and described) of an entry's `alert`."""
    properties = {
        name: {"description": about, "anyOf": [kind.schema, {"type": "null"}]}
        | ({} if default is None else {"default": default})
        for name, kind, about, default in _KINDS
    }
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return Kind(_read, schema, _write)


@lru_cache(maxsize=1024)
def from_json(text: bytes) -> Alert | None:
    """Return the rules that a store keeps as this JSON; entries with equal rules share one
    object."""
    plain = json.decode(text)
    return None if plain is None else _read(plain, "UTC")


def _read(value: Any, tz: str) -> Alert:
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{quoted(value)} is not a mapping; write it like {{failed: 3, missing: 26h}}"
        )
    fields: dict[str, Any] = {}
    for key, given in mapping(value).items():
        if key not in _KIND_OF:
            raise ConfigError(f"{quoted(key)} is not one of its keys{_hint(key)}")
        if given is None:
            continue
        try:
            fields[key] = _KIND_OF[key].read(given, tz)
        except ConfigError as error:
            raise ConfigError(f"{key}: {error}") from None
    return Alert(**fields)


def _hint(key: Any) -> str:
    return nearest(str(key), KEYS) or f"; it has {', '.join(KEYS)}"


def _write(alert: Alert | None) -> dict[str, Any] | None:
    if alert is None:
        return None
    return {
        name: kind.write(value)
        for name, kind, _, default in _KINDS
        if (value := getattr(alert, name)) != default
    }
