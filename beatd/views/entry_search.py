"""Find entries by text, owner and state, one page at a time, reading a limited number of
entries."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from msgspec import Struct

from beatd.catalog import Position, Query, Stored
from beatd.outcome import EntryOutcome
from beatd.store import Roles
from beatd.views.outcome_rows import running_since
from beatd.views.shown_outcomes import shown_outcomes

SearchState = Literal[
    "active", "paused", "disabled", "finished", "running", "failing", "overdue"
]  # fmt: skip
Order = Literal["name", "next"]

ROWS_READ_MAX = 2_000  # of one page, whatever the state
FAILING_ROWS_READ_MAX = 1_000  # as the newest record of each is read, too
ROWS_PER_BATCH = 250
#: An entry that is due for longer than this is overdue; a healthy leader needs less.
OVERDUE_AFTER = timedelta(seconds=5)

Found = tuple[Stored, EntryOutcome | None]


class EntrySearch(Struct, frozen=True, kw_only=True):
    """The conditions and the order of a search for entries; a condition that is None is not
    applied.

    `text` is a part of the name or of the task. An entry is "active" if it is neither paused nor
    disabled and has a run ahead, "finished" if it has none, "failing" if its newest run failed, at
    the broker or in a worker, and "overdue" if its next run should have been sent by now.
    """

    text: str | None = None
    source: str | None = None
    state: SearchState | None = None
    order: Order = "name"


class EntriesPage(Struct, frozen=True):
    """One page of a search for entries, each with its newest outcome.

    `rest` is the place where the next page begins, or None after the last page.
    """

    entries: Sequence[Found]
    rest: Position | None


def entries_page(
    store: Roles, search: EntrySearch, now: datetime, limit: int, after: Position | None = None
) -> EntriesPage:
    """Return the next page of up to `limit` entries that match a search, beginning behind `after`.

    At most ROWS_READ_MAX entries are read, so a page may have fewer although more entries match.
    """
    most = limit if search.state in (None, "paused", "overdue") else ROWS_READ_MAX
    most = min(most, FAILING_ROWS_READ_MAX) if search.state == "failing" else most
    rows = store.catalog.find(_query(search, now, after, most + 1))
    found: list[Found] = []
    read, last = 0, None
    while batch := list(islice(rows, ROWS_PER_BATCH)):
        for row, outcome in _matching(store, search.state, batch, now):
            if read >= most or len(found) == limit:
                return EntriesPage(found, last)
            read += 1
            last = Position(row.entry.name, row.plan.due if search.order == "next" else None)
            if outcome is not False:
                found.append((row, outcome))
    return EntriesPage(found, None)


def _query(search: EntrySearch, now: datetime, after: Position | None, limit: int) -> Query:
    enabled = {"active": True, "finished": True, "disabled": False, "overdue": True}
    return Query(
        contains=search.text or None,
        source=search.source,
        enabled=enabled.get(search.state or ""),
        paused=True if search.state == "paused" else None,
        due_before=now - OVERDUE_AFTER if search.state == "overdue" else None,
        after=after,
        order=search.order,
        limit=limit,
    )


def _matching(
    store: Roles, state: SearchState | None, rows: Sequence[Stored], now: datetime
) -> Iterator[tuple[Stored, EntryOutcome | Literal[False] | None]]:
    names = [row.entry.name for row in rows]
    known = shown_outcomes(store, rows, now)
    newest = store.history.newest_records(names, 1) if state == "failing" else {}
    for row in rows:
        name = row.entry.name
        outcome = known.get(name)
        match state:
            case "active":
                fits = row.plan.due is not None
            case "finished":
                fits = row.plan.due is None
            case "disabled":
                fits = not row.entry.enabled
            case "running":
                fits = running_since(row, outcome, now) is not None
            case "failing":
                unsent = any(record.state == "failed" for record in newest.get(name, ()))
                fits = unsent or (outcome is not None and outcome.failures > 0)
            case _:
                fits = True
        yield row, outcome if fits else False
