"""Convert the values of the tables in memory to keys and plain data of a shelf, and back. A person
can read the shelf with Python's `shelve.open`.

    entry:NAME  plan:NAME  claim:…  request:ID  record:NUMBER  mark:SOURCE  identity  version  term
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Raw, convert, json, to_builtins

from beatd.run import Occurrence, micros
from beatd.stores.embedded.tables import (
    AnyValue,
    Asked,
    Claimed,
    Closed,
    Defined,
    Done,
    Forgotten,
    Identity,
    Line,
    Marked,
    Planned,
    Removed,
    Termed,
    Version,
)

KINDS: dict[str, type[AnyValue]] = {
    "identity": Identity,
    "version": Version,
    "term": Termed,
    "mark": Marked,
    "entry": Defined,
    "plan": Planned,
    "request": Asked,
    "claim": Claimed,
    "record": Line,
}
DELETIONS: dict[str, type[AnyValue]] = {
    "removed": Removed,
    "done": Done,
    "closed": Closed,
    "forgotten": Forgotten,
}
NAME_OF = {kind: name for name, kind in DELETIONS.items()}


def keys_of(value: AnyValue) -> Iterator[str]:
    """Yield the keys of the shelf that a value writes or, for a value that deletes rows, the keys
    that it deletes."""
    match value:
        case Identity():
            yield "identity"
        case Version():
            yield "version"
        case Termed():
            yield "term"
        case Marked():
            yield f"mark:{value.mark.key}"
        case Defined():
            yield f"entry:{value.name}"
        case Planned():
            yield f"plan:{value.name}"
        case Removed():
            yield f"entry:{value.name}"
            yield f"plan:{value.name}"
        case Asked():
            yield f"request:{value.request.id}"
        case Done():
            yield f"request:{value.id}"
        case Claimed() | Closed():
            yield _claim(value.occurrence)
        case Line():
            yield _record(value.number)
        case Forgotten():
            yield from map(_record, range(value.first, value.last + 1))


def final(values: Iterable[AnyValue]) -> dict[str, AnyValue | None]:
    """Return the value that each key of the shelf holds after all these values were applied in
    order; None for a key that is deleted."""
    found: dict[str, AnyValue | None] = {}
    for value in values:
        for key in keys_of(value):
            found.pop(key, None)
            found[key] = None if type(value) in NAME_OF else value
    return found


def deletions(values: Iterable[AnyValue]) -> list[Any]:
    """Return the values that delete rows, each as [kind, fields] in plain data; all other values
    are left out."""
    return [[NAME_OF[type(v)], to_builtins(v)] for v in values if type(v) in NAME_OF]


def deletion(plain: Any) -> AnyValue:
    """Return the value that `deletions` converted to this [kind, fields] pair."""
    name, fields = plain
    return convert(fields, type=DELETIONS[name])


def to_plain(value: AnyValue) -> Any:
    if isinstance(value, Defined):
        fields = to_builtins(value, enc_hook=lambda _: None)
        return {**fields, "definition": json.decode(value.definition)}
    return to_builtins(value)


def from_plain(key: str, read: Callable[[], Any]) -> AnyValue | None:
    """Return the value of a key, made from the plain data that `read` returns. Return None, without
    calling `read`, if the key is of no known kind.

    Raises ValidationError for damaged data; errors of `read` pass through.
    """
    kind = KINDS.get(key.partition(":")[0])
    if kind is None:
        return None
    fields = read()
    if kind is Defined and isinstance(fields, dict):
        fields = {**fields, "definition": Raw(json.encode(fields.get("definition")))}
    value: AnyValue = convert(fields, type=kind)
    return value


def _claim(occurrence: Occurrence) -> str:
    request = f":{occurrence.request}" if occurrence.request else ""
    return f"claim:{micros(occurrence.planned)}{request}:{occurrence.name}"


def _record(number: int) -> str:
    return f"record:{number:012}"


def key_of_change(number: int) -> str:
    return f"changed:{number:012}"
