"""The next runs of an entry, as moments and as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from beatd.entry import Entry
from beatd.planning import next_moment, shared_next_after
from beatd.schedules.moment import format_moment, in_zone
from beatd.schedules.zone import zone


def runs_after(entry: Entry, after: datetime) -> Iterator[datetime]:
    """Yield the runs of an entry later than `after`, computing each when it is asked for.

    The last one is before the year 10000 on the wall clock of the entry's zone.
    """
    next_after, home = shared_next_after(), zone(entry.tz)
    moment = next_moment(entry, after, next_after)
    while moment is not None:
        try:
            moment.astimezone(home)
        except OverflowError:
            return
        yield moment
        moment = next_moment(entry, moment, next_after)


def next_runs(entry: Entry, after: datetime, count: int) -> tuple[list[datetime], bool]:
    """Return up to `count` runs later than `after`, and True if no run follows them."""
    runs = runs_after(entry, after)
    found = list(islice(runs, count))
    return found, len(found) < count or next(runs, None) is None


def run_json(moment: datetime, tz: str) -> dict[str, str]:
    """Return a moment as {"local": …, "utc": …}; "local" has the offset of the zone `tz`."""
    local = in_zone(moment, zone(tz)).isoformat()
    return {"local": local, "utc": format_moment(moment.astimezone(UTC))}
