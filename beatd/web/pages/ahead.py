"""The page /ahead: the runs of the next day and week, the busiest times, the next clock change."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from markupsafe import Markup
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.catalog import PlanFinder, Position
from beatd.run import EPOCH, MICROSECOND
from beatd.schedules import zone
from beatd.schedules.clock_shift import ClockShift, next_clock_shift
from beatd.schedules.duration import length_text
from beatd.views.planned_ahead import AlikeEntries, PlannedAhead, alike_entries, count_ahead
from beatd.views.quiet_minute import QuietMinute, quiet_minute
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import address
from beatd.web.pages.density import axis, density
from beatd.web.pages.entry_list import place_text
from beatd.web.pages.moments import Moments
from beatd.web.pages.rendering import live_page, moments_of, site_of
from beatd.web.visitor import needs

DAY, WEEK, QUIET = 24, 168, 6  # hours
HALF_A_YEAR = timedelta(days=183)
NIGHT = timedelta(hours=6)  # before and after a clock change
BUSIEST_SHOWN = 5
WEEK_WORK_MAX = 1_000_000  # about 0.7 s
KEPT_S = 60.0  # unless an entry changes


class Ahead(Struct, frozen=True):
    """The number of planned runs in the next day and week, and the quietest minute of an hour."""

    day: PlannedAhead
    week: PlannedAhead
    quiet: QuietMinute | None


class Busy(Struct, frozen=True):
    """A period with many planned runs, and the URL of a list of the entries that run in it."""

    at: datetime
    until: datetime
    runs: int
    path: str


class Drawing(Struct, frozen=True):
    """A bar chart of planned runs over time, with the labels below it and the total of runs."""

    runs: int
    most: int
    complete: bool
    drawing: Markup
    words: list[str]


def read_ahead(plans: PlanFinder, now: datetime, tz: str) -> Ahead:
    """Count the planned runs of all entries in the next day and week; entries are read only
    once."""
    alike = alike_entries(plans, now + timedelta(hours=WEEK))
    return Ahead(
        count_ahead(alike, _floor(now, 300), DAY),
        count_ahead(alike, _floor(now, 1800), WEEK, WEEK_WORK_MAX),
        quiet_minute(_whole_minutes(alike, now), tz),
    )


def _whole_minutes(alike: AlikeEntries, now: datetime) -> PlannedAhead:
    soon = count_ahead(alike, _floor(now, 60), QUIET + 1)
    counts = soon.counts[1 : QUIET * 60 + 1]
    return PlannedAhead(soon.start + timedelta(minutes=1), 60, counts, soon.complete)


def busiest(ahead: PlannedAhead) -> Iterator[Busy]:
    """Yield the periods with the most planned runs, the busiest first."""
    size = timedelta(seconds=ahead.bucket_s)
    places = [place for place, runs in enumerate(ahead.counts) if runs]
    for place in islice(sorted(places, key=lambda one: -ahead.counts[one]), BUSIEST_SHOWN):
        at = ahead.start + place * size
        before = place_text(Position("~", at - MICROSECOND))
        path = address("/entries", order="next", place=before)
        yield Busy(at, at + size, ahead.counts[place], path)


def night(week: PlannedAhead, shift: ClockShift) -> PlannedAhead | None:
    """Return the runs planned in the hours around a clock change, or None if it is over a week
    away."""
    size = timedelta(seconds=week.bucket_s)
    if shift.moment >= week.start + len(week.counts) * size:
        return None
    first = max(0, (shift.moment - NIGHT - week.start) // size)
    last = (shift.moment + NIGHT - week.start) // size
    return PlannedAhead(
        week.start + first * size, week.bucket_s, week.counts[first:last], week.complete
    )


def shift_words(shift: ClockShift) -> tuple[str, str]:
    """Describe a clock change in two texts: how the clock changes, and what it means for
    schedules."""
    length = length_text(abs(shift.seconds))
    way = "forward" if shift.seconds > 0 else "back"
    shows, then = f"{shift.shows:%H:%M}", f"{shift.shows_then:%H:%M}"
    change = f"{shift.shows:%A %Y-%m-%d} at {shows} the clock goes {way} by {length}, to {then}."
    if shift.seconds > 0:
        return change, (
            f"The times between {shows} and {then} do not exist: an entry at fixed times among them"
            f" runs once, at {then}, unless its `dst_gap` is `skip`."
        )
    return change, (
        f"The times between {then} and {shows} come twice: an entry at fixed times among them runs"
        " at the first one only, unless its `dst_fold` is `last` or `both`."
    )


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page /ahead, which shows how many runs are planned in the next day and week."""
    site = site_of(request)
    store, shown, tz = site.open_store(), moments_of(request), site.timezone
    ahead = kept_of(request).get(
        ("ahead", store.catalog.version()),
        lambda: read_ahead(store.plans, shown.now, tz),
        KEPT_S,
    )
    shift = next_clock_shift(tz, shown.now, HALF_A_YEAR)
    around = None if shift is None else night(ahead.week, shift)
    return live_page(
        request,
        "ahead.html",
        shown,
        day=_drawing(ahead.day, shown, [shown.short(one) for one in axis(ahead.day, 8)]),
        week=_drawing(ahead.week, shown, _days(ahead.week, tz)),
        busiest=list(busiest(ahead.day)),
        shift=shift,
        shift_words=None if shift is None else shift_words(shift),
        night=around and _drawing(around, shown, [shown.short(one) for one in axis(around, 6)]),
        quiet=ahead.quiet,
        quiet_hours=QUIET,
        half_a_year=HALF_A_YEAR.days,
    )


def _drawing(ahead: PlannedAhead, shown: Moments, words: list[str]) -> Drawing:
    counts = ahead.counts
    return Drawing(
        sum(counts), max(counts, default=0), ahead.complete, density(ahead, shown), words
    )


def _days(ahead: PlannedAhead, tz: str) -> list[str]:
    home = zone(tz)
    return [f"{one.astimezone(home):%a %H:%M}" for one in axis(ahead, 7)]


def _floor(moment: datetime, seconds: int) -> datetime:
    return moment - (moment - EPOCH) % timedelta(seconds=seconds)


def routes() -> list[Route]:
    """Return the Starlette route of the page /ahead."""
    return [Route("/ahead", show, methods=["GET"])]
