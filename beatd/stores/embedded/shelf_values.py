"""Convert the rows of a store to the keys and values of its shelf file, and back.

Python's `shelve.open` shows the file to a person. The keys are:

    entry:NAME  plan:NAME  claim:…  request:ID  record:NUMBER  mark:SOURCE  identity  version  term
    running:NAME  outcome:NAME  delivery:TASK-ID:ID  incident:…  edit:NUMBER  next-edit

An older beatd ignores new kinds of keys, but fails for an unknown kind in `DELETIONS`. Add the
deletion of a new kind to `LATER_DELETIONS`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Raw, convert, json, to_builtins

from beatd.incident import Incident
from beatd.run import Occurrence, micros
from beatd.stores.embedded.shelf_layout import CHANGES_MAX
from beatd.stores.embedded.table_values import (
    AnyValue,
    Asked,
    ChangeRow,
    ChangesForgotten,
    Claimed,
    Closed,
    Defined,
    DeliveryGone,
    DeliveryRow,
    Done,
    Forgotten,
    Identity,
    IncidentGone,
    IncidentRow,
    Line,
    Marked,
    MarkGone,
    NextChange,
    OutcomeRow,
    Planned,
    Removed,
    RunningGone,
    RunningRow,
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
    "running": RunningRow,
    "outcome": OutcomeRow,
    "delivery": DeliveryRow,
    "incident": IncidentRow,
    "edit": ChangeRow,
    "next-edit": NextChange,
}
DELETIONS: dict[str, type[AnyValue]] = {
    "removed": Removed,
    "done": Done,
    "closed": Closed,
    "forgotten": Forgotten,
}
LATER_DELETIONS: dict[str, type[AnyValue]] = {
    "running": RunningGone,
    "delivery": DeliveryGone,
    "incident": IncidentGone,
    "edits": ChangesForgotten,
    "mark": MarkGone,
}
NAME_OF = {kind: name for name, kind in DELETIONS.items()}
LATER_NAME_OF = {kind: name for name, kind in LATER_DELETIONS.items()}


def keys_of(value: AnyValue) -> Iterator[str]:
    """Yield the keys of the shelf file, such as "entry:daily-report", that a change of a row
    affects."""
    match value:
        case Identity():
            yield "identity"
        case Version():
            yield "version"
        case Termed():
            yield "term"
        case Marked():
            yield f"mark:{value.mark.key}"
        case MarkGone():
            yield f"mark:{value.key}"
        case Defined():
            yield f"entry:{value.name}"
        case Planned():
            yield f"plan:{value.name}"
        case Removed():
            yield f"entry:{value.name}"
            yield f"plan:{value.name}"
            yield f"running:{value.name}"
            yield f"outcome:{value.name}"
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
        case ChangeRow():
            yield _edit(value.number)
        case ChangesForgotten():
            yield from map(_edit, range(value.first, value.last + 1))
        case NextChange():
            yield "next-edit"
        case RunningRow() | RunningGone():
            yield f"running:{value.name}"
        case OutcomeRow():
            yield f"outcome:{value.outcome.name}"
        case DeliveryRow():
            yield f"delivery:{value.delivery.task_id}:{value.delivery.delivery}"
        case DeliveryGone():
            yield f"delivery:{value.task_id}:{value.delivery}"
        case IncidentRow():
            yield _incident(value.incident)
        case IncidentGone():
            yield _incident(value)


def final(values: Iterable[AnyValue]) -> dict[str, AnyValue | None]:
    """Return the last value that these changes, made in order, give to each key of the shelf file.

    A key that they delete has the value None.
    """
    found: dict[str, AnyValue | None] = {}
    for value in values:
        for key in keys_of(value):
            found.pop(key, None)
            found[key] = None if is_deletion(value) else value
    return found


def is_deletion(value: AnyValue) -> bool:
    return type(value) in NAME_OF or type(value) in LATER_NAME_OF


def deletions(values: Iterable[AnyValue]) -> dict[str, list[Any]]:
    """Convert those of the changes that delete rows to plain data, for other processes to read.

    Each is [kind, fields], in the list "gone" for kinds that every beatd knows, or in "gone_too"
    for newer kinds, which an older beatd ignores.
    """
    found: dict[str, list[Any]] = {"gone": []}
    for value in values:
        if (name := NAME_OF.get(type(value))) is not None:
            found["gone"].append([name, to_builtins(value)])
        elif (name := LATER_NAME_OF.get(type(value))) is not None:
            found.setdefault("gone_too", []).append([name, to_builtins(value)])
    return found


def deletions_of(change: Mapping[str, Any]) -> Iterator[AnyValue]:
    """Yield the changes that `deletions` converted to plain data.

    Unknown kinds in "gone_too" are left out.
    """
    for name, fields in change["gone"]:
        yield convert(fields, type=DELETIONS[name])
    for name, fields in change.get("gone_too", ()):
        if name in LATER_DELETIONS:  # the kinds that a newer beatd added are not in the tables
            yield convert(fields, type=LATER_DELETIONS[name])


def to_plain(value: AnyValue) -> Any:
    if isinstance(value, Defined):
        fields = to_builtins(value, enc_hook=lambda _: None)
        return {**fields, "definition": json.decode(value.definition)}
    return to_builtins(value)


def from_plain(key: str, read: Callable[[], Any]) -> AnyValue | None:
    """Convert a value of the shelf file to a row, or return None if the kind of its key is unknown.

    `read` returns the plain data and is called only for a known kind. Raise ValueError for damaged
    data; ValidationError is one.
    """
    kind = KINDS.get(key.partition(":")[0])
    if kind is None:
        return None
    fields = read()
    if kind is Defined and isinstance(fields, dict):
        fields = {**fields, "definition": Raw(json.encode(fields.get("definition")))}
    value: AnyValue = convert(fields, type=kind)
    # Numbers far apart would let a search through all numbers never end.
    if isinstance(value, Line | ChangeRow | NextChange) and (
        key not in keys_of(value) or value.number >= CHANGES_MAX
    ):
        raise ValueError(f"its number is {value.number}")
    return value


def _claim(occurrence: Occurrence) -> str:
    request = f":{occurrence.request}" if occurrence.request else ""
    return f"claim:{micros(occurrence.planned)}{request}:{occurrence.name}"


def _record(number: int) -> str:
    return f"record:{number:012}"


def _edit(number: int) -> str:
    return f"edit:{number:012}"


def _incident(value: Incident | IncidentGone) -> str:
    return f"incident:{value.kind}:{micros(value.opened)}:{value.name}"


def key_of_change(number: int) -> str:
    return f"changed:{number:012}"
