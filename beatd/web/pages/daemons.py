"""The page /daemons, which shows the leading daemon, the standbys, and the problems of each."""

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.leader import Holder, Term
from beatd.presence import INVALID_SOURCE, Presence, leading, led_before, standing_by
from beatd.store import Roles
from beatd.views.needs_reload import needs_reload_text
from beatd.web.pages.rendering import live_page, moments_of, site_of
from beatd.web.visitor import needs

PATH = "/daemons"
CLOCK_OFF_S = 1.0  # a larger difference is a problem


class Crew(Struct, frozen=True):
    """All running daemons of a store: the leading one, and the standbys, oldest first.

    `led_before` are those that describe themselves as leading although they no longer lead: they
    were killed, or are frozen. `leader` is None if no daemon leads. `term` counts the leaders so
    far, and `last` describes the newest of them.
    """

    leader: Presence | None
    standbys: Sequence[Presence]
    led_before: Sequence[Presence]
    term: Term | None
    last: Holder | None

    @property
    def all(self) -> list[Presence]:
        return [*([self.leader] if self.leader else []), *self.standbys, *self.led_before]


def crew_of(store: Roles) -> Crew:
    """Return all running daemons of a store, sorted into the leading one and the standbys."""
    newest = store.terms.term()
    found = sorted(store.presences.daemons(), key=lambda one: one.holder.since)
    leader = leading(found, newest and newest[1])
    return Crew(
        leader,
        standing_by(found),
        led_before(found, leader),
        newest and newest[0],
        newest and newest[1],
    )


class DaemonLine(Struct, frozen=True):
    """A line on the page of daemons: one daemon, and the problems that it reports."""

    presence: Presence
    leads: bool
    troubles: Sequence[str]
    agrees: bool
    late_p99: float | None


def daemon_lines(crew: Crew) -> list[DaemonLine]:
    """Return a line for each daemon. It `agrees` if it declares the same entries as the leader."""
    declared = crew.leader.declares if crew.leader is not None else ""
    return [
        DaemonLine(
            one,
            one is crew.leader,
            troubles_of(one),
            not declared or not one.declares or one.declares == declared,
            one.stats.get("late_p99"),
        )
        for one in crew.all
    ]


def troubles_of(one: Presence) -> list[str]:
    """Return one line of text for each problem that a daemon reports about itself."""
    found = []
    if not one.broker_ok:
        found.append(f"broker: {one.broker or 'no answer'}")
    if one.lock:
        found.append(f"lock: {one.lock}")
    if one.went_back:
        found.append(f"the store went back: {one.went_back}")
    if abs(one.clock_offset) > CLOCK_OFF_S:
        found.append(f"its clock is {one.clock_offset:+.1f} s off the store's")
    if one.needs_reload:
        found.append(needs_reload_text(one.needs_reload))
    return [*found, *map(_not_applied, one.problems)]


def _not_applied(text: str) -> str:
    # A conflict says "is not applied" itself.
    reason = text.removeprefix(INVALID_SOURCE)
    return text if reason == text else f"not applied: {reason}"


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page /daemons, which lists the running daemons and their problems."""
    store, shown = site_of(request).open_store(), moments_of(request)
    crew = crew_of(store)
    return live_page(request, "daemons.html", shown, crew=crew, lines=daemon_lines(crew))


def routes() -> list[Route]:
    """Return the Starlette route of the page /daemons."""
    return [Route(PATH, show, methods=["GET"])]
