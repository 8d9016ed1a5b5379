"""The start page /, which shows whether all is well, the next runs and the last failures."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.catalog import Query, Stored
from beatd.last_sent import NotReceived, not_received
from beatd.observers.health import Health
from beatd.store import Roles
from beatd.views.entry_search import OVERDUE_AFTER
from beatd.views.failing import Failure, failures
from beatd.views.planned_ahead import planned_ahead
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import address
from beatd.web.pages.daemons import Crew, crew_of
from beatd.web.pages.density import axis, density
from beatd.web.pages.entries import problems_of
from beatd.web.pages.rendering import live_page, moments_of, site_of
from beatd.web.visitor import needs

NEXT_SHOWN = 8
FAILURES_SHOWN = 8
NOT_RECEIVED_SHOWN = 8
OVERDUE_COUNTED_MAX = 1_000
HOUR_KEPT_S = 20.0  # unless an entry changes


class Trouble(Struct, frozen=True):
    """A problem that the start page names, with the URL of a page that shows more about it."""

    text: str
    path: str


class State(Struct, frozen=True):
    """What the start page checks for problems: daemons, incidents, failing and overdue entries, and
    entries whose last run no worker received."""

    crew: Crew
    open_incidents: int
    failing: Sequence[Failure]
    overdue: int
    not_received: NotReceived
    unapplied: int


def troubles(state: State, health: Health) -> Iterator[Trouble]:
    """Yield the problems that the start page shows, the worst first."""
    if state.crew.leader is None:
        yield Trouble("nobody leads", "/daemons")
    elif not state.crew.leader.broker_ok:
        yield Trouble("the leader cannot use the broker", "/daemons")
    elif not health.broker_ok:
        yield Trouble("this daemon cannot use the broker", "/daemons")
    if not health.lock_ok:
        yield Trouble("the lock cannot be used", "/daemons")
    waiting = len(state.not_received.entries)
    for count, one, many, path in (
        (state.open_incidents, "open incident", "open incidents", "/incidents"),
        (len(state.failing), "entry fails", "entries fail", address("/entries", state="failing")),
        (state.overdue, "run is overdue", "runs are overdue", address("/entries", state="overdue")),
        (
            waiting,
            "entry has a run not received",
            "entries have runs not received",
            "#not-received",
        ),
        (state.unapplied, "declaration is not applied", "declarations are not applied", "/daemons"),
    ):
        if count:
            least = (
                "+"
                if (
                    (many == "runs are overdue" and count == OVERDUE_COUNTED_MAX)
                    or (many == "entries have runs not received" and state.not_received.at_least)
                )
                else ""
            )
            yield Trouble(f"{count:,}{least} {one if count == 1 else many}", path)


def overdue_count(store: Roles, now: datetime) -> int:
    """Return how many entries should have run already; counting stops at OVERDUE_COUNTED_MAX."""
    query = Query(
        enabled=True, due_before=now - OVERDUE_AFTER, order="next", limit=OVERDUE_COUNTED_MAX
    )
    return sum(1 for _ in store.catalog.find(query))


def next_rows(store: Roles) -> list[Stored]:
    """Return the entries that run next, the earliest first, at most NEXT_SHOWN of them."""
    found = store.catalog.find(Query(enabled=True, order="next", limit=NEXT_SHOWN))
    return [row for row in found if row.plan.due is not None]


@needs("viewer")
def show(request: Request) -> Response:
    """Return the start page."""
    site = site_of(request)
    store, shown, kept = site.open_store(), moments_of(request), kept_of(request)
    crew, entries = crew_of(store), store.catalog.count()
    version, minute = store.catalog.version(), shown.now.replace(second=0, microsecond=0)
    failing = kept.get(
        ("failing", version), lambda: failures(store.catalog, store.history, store.entry_outcomes)
    )
    waiting = kept.get(
        ("not received", version),
        lambda: not_received(
            store.catalog, store.history, store.outcomes, shown.now, entries=entries
        ),
    )
    if crew.leader is None:  # nobody reads the reports of workers
        waiting = NotReceived([], at_least=False)
    ahead = kept.get(
        ("hour", version, minute), lambda: planned_ahead(store.plans, minute, 1), HOUR_KEPT_S
    )
    state = State(
        crew,
        sum(one.closed is None for one in store.incidents.open_incidents()),
        failing,
        overdue_count(store, shown.now),
        waiting,
        len(problems_of(crew.all)),
    )
    return live_page(
        request,
        "overview.html",
        shown,
        crew=crew,
        entries=entries,
        troubles=list(troubles(state, site.health())),
        next_rows=next_rows(store),
        hour=density(ahead, shown),
        hour_axis=[shown.short(moment) for moment in axis(ahead, 6)],
        hour_runs=sum(ahead.counts),
        hour_most=max(ahead.counts),
        hour_complete=ahead.complete,
        failing=failing[:FAILURES_SHOWN],
        failing_count=len(failing),
        not_received=waiting.entries[:NOT_RECEIVED_SHOWN],
        not_received_more=len(waiting.entries) - NOT_RECEIVED_SHOWN,
        health=site.health(),
    )


def routes() -> list[Route]:
    """Return the Starlette route of the start page."""
    return [Route("/", show, methods=["GET"])]
