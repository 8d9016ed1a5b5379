"""The calendar /entries.ics, which has the planned runs of the next days as iCalendar events."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.catalog import EntryFinder, PlanFinder, PlannedEntry, Query
from beatd.entry import Schedule, Timing, timing_of
from beatd.planning import next_moment, shared_next_after
from beatd.run import Occurrence, task_id
from beatd.schedules import describe
from beatd.views.entry_search import EntrySearch
from beatd.web.kept import kept_of
from beatd.web.pages.entry_list import search_of
from beatd.web.pages.icalendar import calendar, event
from beatd.web.pages.rendering import site_of
from beatd.web.visitor import needs

DAYS = 7
EVENTS_MAX = 2_000
ENTRIES_READ_MAX = 5_000
HOUR_US = 3_600_000_000
RUNS_A_DAY_MAX = 24
KEPT_S = 60.0  # unless an entry changes
LEFT_OUT = "Entries that run more often than once an hour are left out"

_Found = tuple[datetime, str, PlannedEntry]


class _Store(Protocol):
    @property
    def catalog(self) -> EntryFinder: ...

    @property
    def plans(self) -> PlanFinder: ...


def planned_runs(
    store: _Store, search: EntrySearch, now: datetime
) -> tuple[list[tuple[datetime, PlannedEntry]], bool]:
    """Return the planned runs of the next DAYS days in order, and True if the list is complete.

    Entries that run more than once an hour, and paused or disabled entries, are left out.
    """
    end, next_after = now + timedelta(days=DAYS), shared_next_after()
    known: dict[Schedule, bool] = {}

    def moments(row: PlannedEntry) -> Iterator[_Found]:
        left: int | None = row.left
        moment: datetime | None = row.planned
        while moment is not None and moment < end and left != 0:
            if moment >= now:
                yield moment, row.name, row
            moment = next_moment(row.timing, moment, next_after)
            left = None if left is None else left - 1

    def is_shown(row: PlannedEntry) -> bool:
        schedule = row.timing.schedule
        if schedule not in known:
            known[schedule] = not runs_often(row.timing, now)
        return known[schedule]

    rows = list(_planned(store, search, end))
    shown = filter(is_shown, rows[:ENTRIES_READ_MAX])
    found = list(islice(merge(*map(moments, shown), key=lambda one: one[:2]), EVENTS_MAX + 1))
    is_all = len(rows) <= ENTRIES_READ_MAX and len(found) <= EVENTS_MAX
    return [(moment, row) for moment, _, row in found[:EVENTS_MAX]], is_all


def _planned(store: _Store, search: EntrySearch, end: datetime) -> Iterator[PlannedEntry]:
    # One more than ENTRIES_READ_MAX, if there are more.
    limit = ENTRIES_READ_MAX + 1
    if not search.text and search.source is None:
        yield from store.plans.plans_before(end, limit)
        return
    query = Query(
        contains=search.text,
        source=search.source,
        enabled=True,
        due_before=end,
        order="next",
        limit=limit,
    )
    for row in store.catalog.find(query):
        if row.plan.planned is not None:
            timing = timing_of(row.entry)
            yield PlannedEntry.of(row.entry.name, timing, row.plan.planned, row.runs)


def runs_often(timing: Timing, now: datetime) -> bool:
    """Return True if such an entry runs more than once an hour, on average over a day."""
    period = timing.schedule.period
    if period is not None:
        return period < HOUR_US
    first = moment = timing.schedule.next_after(now)
    for _ in range(RUNS_A_DAY_MAX):
        if moment is None or first is None:
            return False
        moment = timing.schedule.next_after(moment)
    return moment is not None and first is not None and moment - first < timedelta(days=1)


@needs("viewer")
def show(request: Request) -> Response:
    """Return the iCalendar file with the planned runs of the entries that match `q` and
    `source`."""
    search = search_of(request.query_params)
    version = site_of(request).open_store().catalog.version()
    key = ("calendar", version, search.text, search.source)
    text = kept_of(request).get(key, lambda: _calendar(request, search), for_s=KEPT_S)
    headers = {"Content-Disposition": 'inline; filename="entries.ics"'}
    return Response(text, 200, headers, "text/calendar; charset=utf-8")


def _calendar(request: Request, search: EntrySearch) -> str:
    site = site_of(request)
    store, now = site.open_store(), site.now()
    found, is_all = planned_runs(store, search, now)
    about = f"Planned runs of the next {DAYS} days. {LEFT_OUT}, and paused and disabled ones too."
    if not is_all:
        about += f" There are more runs than this calendar holds; it ends after {len(found):,}."
    namespace, words = store.requests.namespace, dict[str, str]()
    events = []
    for moment, row in found:
        if row.name not in words:
            tz = row.timing.tz
            text = describe(row.timing.schedule, tz)
            words[row.name] = text if tz in text else f"{text}, {tz}"
        uid = _uid(namespace, row.name, moment)
        events.append(event(uid, moment, row.name, words[row.name], now))
    return calendar(f"beatd {site.name}", about, events)


def _uid(namespace: UUID, name: str, moment: datetime) -> str:
    return f"{task_id(namespace, Occurrence(name, moment))}@beatd"


def routes() -> list[Route]:
    """Return the Starlette route of the calendar /entries.ics."""
    return [Route("/entries.ics", show, methods=["GET"])]
