"""Edit single fields of an entry, by their keys in YAML."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec.structs import replace

from beatd.definition import KINDS, entry_from, plain_of
from beatd.definition.arguments import canonical_json
from beatd.definition.fields import KEYS, SHIFTS
from beatd.entry import CANVASES, Entry
from beatd.errors import ConfigError, nearest

#: Fields whose keys can be edited one by one: `options.queue`, `options.headers.x`, `alert.late`.
_DEEP = ("options", "kwargs", "alert", "monitor")
#: An entry has one of these keys.
WHAT_RUNS = ("task", *CANVASES)


def patch_of(fields: Mapping[str, Any], unset: Collection[str] = ()) -> Callable[[Entry], Entry]:
    """Return a function that sets `fields` of an entry and removes the fields in `unset`.

    Keys are those of YAML, or paths like `options.queue`. A new kind of schedule replaces the old
    schedule, and a chain replaces the task; other fields stay. The function raises ConfigError for
    an unknown key or an invalid entry.
    """

    def edit(entry: Entry) -> Entry:
        plain = patched(plain_of(entry), fields, unset)
        return entry_from(
            entry.name,
            plain,
            timezone=entry.tz,
            source=entry.source,
            declared_at=entry.declared_at,
        )

    return edit


def with_cli_as_owner(edit: Callable[[Entry], Entry]) -> Callable[[Entry], Entry]:
    """Return a function that calls `edit` and makes "cli" the owner of the edited entry.

    Then no file or app changes the entry any more.
    """
    return lambda entry: replace(edit(entry), source="cli", declared_at="")


def patched(
    plain: Mapping[str, Any], fields: Mapping[str, Any], unset: Collection[str] = ()
) -> dict[str, Any]:
    """Return a copy of an entry's YAML data with `fields` set and the keys in `unset` removed.

    A key may be a path such as `options.headers.x`. A kind of schedule in `fields` replaces the old
    schedule, and a task, chain, group or chord replaces what the entry ran. Raises ConfigError for
    an unknown key.
    """
    result = dict(plain)
    if any(kind in fields for kind in KINDS):
        for key in (*KINDS, *SHIFTS):
            result.pop(key, None)
    if any(key in fields for key in WHAT_RUNS):
        for key in WHAT_RUNS:
            result.pop(key, None)
    for key in unset:
        _remove(result, key)
    for key, value in fields.items():
        _set(result, key, value)
    return result


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that change `before` to `after`; the value None removes a field.

    Changed keys inside options, kwargs, alert and monitor are returned as paths such as
    `options.queue`. If the new content of such a field has a value None, the field is returned
    whole.
    """
    fields: dict[str, Any] = {}
    for key in (*before, *(key for key in after if key not in before)):
        old, new = before.get(key), after.get(key)
        if key in _DEEP and isinstance(old, Mapping) and isinstance(new, Mapping):
            inside = {
                f"{key}.{inner}": new.get(inner)
                for inner in (*old, *(name for name in new if name not in old))
                if (inner in old) != (inner in new) or _differ(old[inner], new[inner])
            }
            null = None in new.values()
            fields |= {key: new} if inside and null else inside  # None removes a key
        elif _differ(old, new):
            fields[key] = new
    return fields


def _differ(one: Any, other: Any) -> bool:
    """Return True if the two values differ as JSON. 0, 0.0 and false are different values."""
    return canonical_json(one) != canonical_json(other)


def _parts(key: str) -> list[str]:
    # Raises ConfigError if the key is unknown.
    head, dot, rest = key.partition(".")
    if head not in KEYS or (dot and head not in _DEEP):
        raise ConfigError(f"{key!r} is not a key of an entry{nearest(head, KEYS)}")
    if not dot:
        return [head]
    inner, dot, deepest = rest.partition(".")
    return [head, inner, deepest] if dot and inner == "headers" else [head, rest]


def _set(result: dict[str, Any], key: str, value: Any) -> None:
    *above, last = _parts(key)
    place = result
    for name in above:
        inner = place.get(name)
        place[name] = dict(inner) if isinstance(inner, Mapping) else {}
        place = place[name]
    place[last] = value


def _remove(result: dict[str, Any], key: str) -> None:
    *above, last = _parts(key)
    place = result
    for name in above:
        if not isinstance(place.get(name), Mapping):
            return
        place[name] = dict(place[name])
        place = place[name]
    place.pop(last, None)
