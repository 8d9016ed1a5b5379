"""Send edits to a daemon's API that cannot be sent as changes of single entries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.definition import json_plain_of
from beatd.definition.arguments import tagged
from beatd.edits.declared_set import Declared
from beatd.edits.request_arguments import RequestArguments
from beatd.edits.undo import Undone
from beatd.errors import BeatError, UnknownEntry
from beatd.remote.api import Api, entry_path
from beatd.remote.from_json import change_from, stored_from
from beatd.why.answer import Answer


def trigger_over(api: Api, name: str, arguments: RequestArguments) -> str:
    """Request one run of an entry now over the API, and return its task id."""
    body = {
        key: tagged(value)
        for key, value in (("args", arguments.args), ("kwargs", arguments.kwargs))
        if value is not None
    }
    task_id: str = api.send("POST", entry_path(name, "trigger"), body)["task_id"]
    return task_id


def undo_over(api: Api, id: str, note: str, now: datetime, *, force: bool) -> Undone:
    """Undo the change of an entry with this id over the API, and return what was restored."""
    path = f"changes/{quote(id, safe='')}/undo"
    try:
        done = api.send("POST", path, force=force, note=note)
    except UnknownEntry:
        raise BeatError(f"no change {id!r}; `beatd changes` shows what there is") from None

    def row(plain: Mapping[str, Any] | None) -> Stored | None:
        return None if plain is None else stored_from(plain, now)

    return Undone(change_from(done["undone"]), row(done["before"]), row(done["after"]))


def declared_over(declared: Declared) -> Declared:
    """Return a set of declared entries with its owner renamed for the API: "yaml:jobs" to
    "api:jobs"."""
    owner = f"api:{declared.source.partition(':')[2]}"
    entries = tuple(replace(entry, source=owner, declared_at="") for entry in declared.entries)
    return replace(declared, source=owner, entries=entries, within=frozenset())


def apply_over(api: Api, declared: Declared, *, prune: bool) -> None:
    """Send a set of declared entries to the API, which makes the store equal to it.

    Entries that the set no longer has are removed if `prune`. Raises BeatError if another set was
    applied meanwhile.
    """
    body = {
        "name": declared.source.partition(":")[2],
        "entries": {entry.name: json_plain_of(entry) for entry in declared.entries},
        "defaults": False,
        "prune": prune,
    }
    api.send("POST", "apply", body)


def why_over(api: Api, name: str, at: str | None) -> Answer:
    """Return the daemon's explanation why an entry ran, or did not run, at the time `at`."""
    try:
        found = api.get(entry_path(name, "why"), at=at)
    except UnknownEntry:
        return Answer("unknown entry", f"there is no entry {name!r}")
    planned = found["planned"]
    return Answer(
        cause=found["cause"],
        line=found["line"],
        planned=None if planned is None else datetime.fromisoformat(planned),
        details=tuple((one["what"], one["text"]) for one in found["details"]),
    )
