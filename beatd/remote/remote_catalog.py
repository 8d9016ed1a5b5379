"""Read and edit the entries of a remote daemon over its API, with the same interface as a store.

An edit is worked out as on a store, and its change is sent as the request of the API that makes it.
The daemon checks the role, names the author, checks the revision and plans the next run.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice, takewhile

from beatd.canvas import task_names
from beatd.catalog import Change, Query, Stored
from beatd.clock import StoreTime
from beatd.definition import json_plain_of
from beatd.definition.arguments import same
from beatd.errors import BeatError, Stale, UnknownEntry
from beatd.marks import Mark, Marks
from beatd.outcome import EntryOutcome
from beatd.remote.api import Api, entry_path
from beatd.remote.from_json import Plain, outcome_from, stored_from
from beatd.schedules.moment import format_moment


class RemoteCatalog:
    """Reads and changes the entries of a remote daemon over its API, like an `EditableCatalog`.

    `outcomes` has the newest outcome of each entry that was read.
    """

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api, self._now = api, now
        self._named: dict[str, Stored] = {}  # as a change of one of them was worked out
        self.outcomes: dict[str, EntryOutcome] = {}
        self.marks = Marks(_DaemonsMarks())

    def find(self, query: Query) -> Iterator[Stored]:
        """Yield the entries that match a query; most conditions are already applied by the
        daemon."""
        found = self._requested(query) if query.names is None else self._by_name(query.names)
        if query.order == "next" and query.due_before is not None and query.names is None:
            found = takewhile(_is_due_before(query.due_before), found)
        yield from islice(filter(_filter_of(query), found), query.limit)

    def existing(self, names: Sequence[str]) -> set[str]:
        """Return those of these names that have an entry which the daemon can read."""
        return {row.entry.name for row in self._by_name(names)}

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Send changes of entries in order; return for each True if it was made, False if
        refused."""
        return [self._is_made(change) for change in changes]

    def now(self) -> StoreTime:
        """Return the current time by the clock of the daemon's store."""
        return StoreTime(self._now(), self._api.url)

    def version(self) -> str:
        raise BeatError("a command over the API does not know the version of the store")

    def count(self) -> int:
        raise BeatError("a command over the API does not count the entries")

    def _by_name(self, names: Sequence[str]) -> Iterator[Stored]:
        for name in dict.fromkeys(names):
            try:
                row = self._row(self._api.get(entry_path(name)))
            except UnknownEntry:
                continue
            self._named[name] = row
            yield row

    def _requested(self, query: Query) -> Iterator[Stored]:
        texts = [query.contains or "", *_literals(query.name_like), *_literals(query.task_like)]
        filters = (query.due_before, query.enabled, query.name_like, query.task_like)
        items = self._api.pages(
            "entries",
            query.limit if not any(one is not None for one in filters) else None,
            q=max(texts, key=len),
            source=query.source,
            state="paused" if query.paused else None,
            order=query.order,
        )
        return map(self._row, items)

    def _row(self, plain: Plain) -> Stored:
        row = stored_from(plain, self._now())
        if plain["outcome"] is not None:
            self.outcomes[row.entry.name] = outcome_from(
                row.entry.name,
                plain["outcome"],
                plain.get("not_received"),
                unread=plain.get("unread", False),
            )
        return row

    def _is_made(self, change: Change) -> bool:
        try:
            self._send(change)
        except (Stale, UnknownEntry):
            return False
        return True

    def _send(self, change: Change) -> None:
        # Raises Stale if the entry has changed since it was read.
        name, entry, seen = change.name, change.entry, self._named.get(change.name)
        note = "" if change.author is None else change.author.note
        condition = {"If-Match": f'"{change.seen}"'} if change.seen else {"If-None-Match": "*"}
        # The edit refused an entry that a file declares, unless the user gave --force.
        if entry is None:
            self._api.send("DELETE", entry_path(name), None, condition, force=True, note=note)
        elif seen is None or seen.revision != change.seen or not same(seen.entry, entry):
            plain = json_plain_of(entry)
            self._api.send("PUT", entry_path(name), plain, condition, force=True, note=note)
        elif change.paused:
            until = change.pause.until if change.pause is not None else None
            body = {"note": note, **({"until": format_moment(until)} if until else {})}
            self._api.send("POST", entry_path(name, "pause"), body, condition)
        else:
            self._api.send("POST", entry_path(name, "resume"), None, condition, note=note)


class _DaemonsMarks:
    # The daemon itself writes the marks of the edits that it makes.
    def read_mark(self, key: str) -> Mark | None:
        return None

    def write_mark(self, mark: Mark) -> None:
        """Do nothing: the daemon writes the marks of the edits that it makes."""


def _filter_of(query: Query) -> Callable[[Stored], bool]:
    # For the conditions that the API does not know.
    name_like, task_like = _pattern(query.name_like), _pattern(query.task_like)
    is_due = None if query.due_before is None else _is_due_before(query.due_before)

    def fits(row: Stored) -> bool:
        entry = row.entry
        return (
            (name_like is None or name_like.fullmatch(entry.name) is not None)
            and (task_like is None or any(map(task_like.fullmatch, task_names(entry))))
            and (query.source is None or entry.source == query.source)
            and (is_due is None or is_due(row))
            and (query.enabled is None or query.enabled == (entry.enabled and not row.paused))
        )

    return fits


def _is_due_before(moment: datetime) -> Callable[[Stored], bool]:
    return lambda row: row.plan.due is not None and row.plan.due < moment


def _literals(shell: str | None) -> list[str]:
    return re.split(r"[*?]", shell or "")


def _pattern(shell: str | None) -> re.Pattern[str] | None:
    if shell is None:
        return None
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(c) or re.escape(c) for c in shell), re.DOTALL)
