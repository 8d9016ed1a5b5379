"""Pause, resume, trigger or remove several entries, with a preview and a result for each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

from msgspec import Struct

from beatd.catalog import EditableCatalog, Stored
from beatd.changes import Author
from beatd.edits.editing import Now, is_declared, owner_text, refuse_stale, remove, rows
from beatd.edits.pausing import pause, resume
from beatd.edits.run_requests import trigger
from beatd.errors import BeatError
from beatd.ledger import Requests

BulkAction = Literal["pause", "resume", "trigger", "remove"]
BULK_ACTIONS: tuple[BulkAction, ...] = get_args(BulkAction)
NAMES_MAX = 1_000

_DONE: dict[BulkAction, str] = {
    "pause": "paused",
    "resume": "resumed",
    "trigger": "one run was requested",
    "remove": "removed",
}


class Prospect(Struct, frozen=True):
    """What an action will do to one entry.

    `refusal` is why it will do nothing, or "". `revision` is the entry's revision, or 0 if there is
    no such entry. `effect` is one line for people.
    """

    name: str
    revision: int
    effect: str = ""
    refusal: str = ""


class EditResult(Struct, frozen=True):
    """What an action did to one entry; `text` is the reason if `done` is False."""

    name: str
    done: bool
    text: str


def prospects(
    found: Mapping[str, Stored], names: Sequence[str], action: BulkAction
) -> list[Prospect]:
    """Return what the action will do to each entry in `names`; `found` has the stored ones."""
    return [_prospect(found.get(name), name, action) for name in dict.fromkeys(names)]


def edit_each(
    catalog: EditableCatalog,
    requests: Requests,
    seen: Mapping[str, int | None],
    action: BulkAction,
    now: Now,
    author: Author,
    *,
    until: datetime | None = None,
) -> list[EditResult]:
    """Do the action to each entry in `seen`, and return a result for each, in the same order.

    `seen` has the revision that the caller read, by name. An entry with another revision is left
    alone; None accepts each revision. `until` is the end of a pause. One failure does not prevent
    the others.
    """

    def act(name: str, revision: int | None) -> bool:
        match action:
            case "pause":
                done = pause(catalog, [name], now, author, until=until, seen=revision)
                return bool(done or until is not None or author.note)
            case "resume":
                return bool(resume(catalog, [name], now, author, seen=revision))
            case "trigger":
                refuse_stale(name, rows(catalog, [name]).get(name), revision)
                trigger(requests, name, now(), marks=catalog.marks, author=author)
            case "remove":
                remove(catalog, [name], author, seen=revision)
        return True

    return [_result(name, revision, action, act) for name, revision in seen.items()]


def _result(
    name: str, revision: int | None, action: BulkAction, act: Callable[[str, int | None], bool]
) -> EditResult:
    try:
        changed = act(name, revision)
    except BeatError as error:
        return EditResult(name, False, str(error))
    return EditResult(name, True, _DONE[action] if changed else f"was {_DONE[action]} already")


def _prospect(row: Stored | None, name: str, action: BulkAction) -> Prospect:
    if row is None:
        return Prospect(name, 0, refusal="there is no such entry")
    effect, refusal = "", ""
    match action:
        case "pause":
            effect = "gets the new end and note" if row.paused else "is paused"
        case "resume" if row.paused:
            effect = "is resumed; what it missed does not run"
        case "resume":
            refusal = "is not paused"
        case "trigger":
            effect = "runs once, now" + _in_spite_of(row)
        case "remove" if is_declared(row.entry):
            refusal = f"is {owner_text(row.entry)}; remove it there"
        case "remove":
            effect = "is removed, with its plan; its history stays"
    return Prospect(name, row.revision, effect, refusal)


def _in_spite_of(row: Stored) -> str:
    if not row.entry.enabled:
        return ", although it is disabled"
    return ", although it is paused" if row.paused else ""
