"""Search for the entries on one page of the list, and prepare the columns that it shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import get_args

from markupsafe import Markup
from msgspec import Struct

from beatd.catalog import Position, Query, Stored
from beatd.outcome import EntryOutcome
from beatd.run import micros, moment_of
from beatd.schedules import describe
from beatd.store import Roles
from beatd.views.entry_search import (
    EntriesPage,
    EntrySearch,
    Order,
    SearchState,
    entries_page,
)
from beatd.views.failing import failures
from beatd.views.shown_outcomes import shown_outcomes
from beatd.web.pages.entry_state import EntryState, entry_state, newest_run
from beatd.web.pages.moments import Moments
from beatd.web.pages.run_strip import run_strip

PAGE = 50
STRIP = 30
COUNTED_MAX = 10_000
MATCHES_COUNTED_MAX = 1_000  # each is read and decoded
TEXT_MAX_CHARS = 200
STATES: tuple[SearchState, ...] = get_args(SearchState)
ORDERS: tuple[Order, ...] = get_args(Order)


class EntryLine(Struct, frozen=True):
    """A line in the list of entries, with everything that its columns show."""

    row: Stored
    state: EntryState
    words: str
    outcome: EntryOutcome | None
    strip: Markup
    late: float | None
    queue: str


def search_of(fields: Mapping[str, str]) -> EntrySearch:
    """Convert the query parameters of a URL to a search for entries; unknown values are ignored."""
    state, order = fields.get("state", ""), fields.get("order", "")
    return EntrySearch(
        text=fields.get("q", "").strip()[:TEXT_MAX_CHARS] or None,
        source=fields.get("source", "").strip()[:TEXT_MAX_CHARS] or None,
        state=next((one for one in STATES if one == state), None),
        order=next((one for one in ORDERS if one == order), "name"),
    )


def fields_of(search: EntrySearch) -> dict[str, str]:
    """Convert a search for entries to query parameters of a URL; default values become ""."""
    return {
        "q": search.text or "",
        "source": search.source or "",
        "state": search.state or "",
        "order": "" if search.order == "name" else search.order,
    }


def place_text(position: Position | None) -> str:
    """Encode a position in the list of entries as a text for the URL; None becomes ""."""
    if position is None:
        return ""
    due = "" if position.due is None else str(micros(position.due))
    return f"{due}~{position.name}"


def position_of(text: str) -> Position | None:
    """Decode a position in the list of entries from a URL; return None if it is empty or
    damaged."""
    due, tilde, name = text.partition("~")
    if not tilde or not name:
        return None
    try:
        return Position(name, moment_of(int(due)) if due else None)
    except (ValueError, OverflowError):
        return None


def found_page(
    store: Roles, search: EntrySearch, now: datetime, after: Position | None
) -> EntriesPage:
    """Return one page of the entries that match a search, beginning behind the position `after`."""
    if search.state != "failing":
        return entries_page(store, search, now, PAGE, after)
    names = [one.name for one in failures(store.catalog, store.history, store.entry_outcomes)]
    query = Query(
        names=tuple(sorted(names)),
        contains=search.text,
        source=search.source,
        order=search.order,
        after=after,
        limit=PAGE + 1,
    )
    rows = list(store.catalog.find(query)) if names else []
    names = [row.entry.name for row in rows]
    known = shown_outcomes(store, rows, now)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    due = last.plan.due if last is not None and search.order == "next" else None
    return EntriesPage(
        [(row, known.get(row.entry.name)) for row in rows[:PAGE]],
        None if last is None else Position(last.entry.name, due),
    )


def lines_of(store: Roles, page: EntriesPage, shown: Moments) -> list[EntryLine]:
    """Return the lines of a page of entries, with their newest runs, which are read all at once."""
    names = [row.entry.name for row, _ in page.entries]
    records = store.history.newest_records(names, STRIP) if names else {}
    ids = [one.task_id for some in records.values() for one in some if one.task_id]
    known = store.outcomes.outcomes(ids) if ids else {}
    lines = []
    for row, outcome in page.entries:
        runs = records.get(row.entry.name, ())
        newest = newest_run(runs)
        lines.append(
            EntryLine(
                row,
                entry_state(row, outcome, newest, shown.now),
                describe(row.entry.schedule, row.entry.tz),
                outcome,
                run_strip(runs, known, shown, STRIP, titles=False) if runs else Markup(),
                None if newest is None else newest.lateness,
                str(row.entry.options.get("queue") or ""),
            )
        )
    return lines


def count_text(store: Roles, search: EntrySearch, page: EntriesPage, *, first: bool) -> str:
    """Return the number of matching entries, such as "60" or "10,000+", or "" if counting is slow.

    Counting stops at COUNTED_MAX entries, or at MATCHES_COUNTED_MAX if there are conditions.
    """
    if first and page.rest is None:
        return f"{len(page.entries):,}"
    if search.state not in (None, "paused"):
        return ""
    most = MATCHES_COUNTED_MAX
    if search.text is None and search.source is None and search.state is None:
        count, most = store.catalog.count(), COUNTED_MAX
    else:
        query = Query(
            contains=search.text,
            source=search.source,
            paused=True if search.state == "paused" else None,
            limit=most + 1,
        )
        count = sum(1 for _ in store.catalog.find(query))
    return f"{most:,}+" if count > most else f"{count:,}"


def names_in(values: Sequence[str], most: int) -> list[str]:
    """Return the first `most` names that a form sent, without empty ones and repeats."""
    return list(dict.fromkeys(value for value in values if value))[:most]
