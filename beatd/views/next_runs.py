"""The next runs of an entry, as moments and as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime

from beatd.entry import Entry
from beatd.planning import next_moment, shared_next_after
from beatd.schedules.moment import format_moment
from beatd.schedules.zone import zone


def next_runs(entry: Entry, after: datetime, count: int) -> tuple[list[datetime], bool]:
    """Return up to `count` runs later than `after`, and True if no run follows them."""
    next_after = shared_next_after()

    def moments() -> Iterator[datetime]:
        moment = next_moment(entry, after, next_after)
        while moment is not None:
            yield moment
            moment = next_moment(entry, moment, next_after)

    found: list[datetime] = []
    home = zone(entry.tz)
    for moment in moments():
        try:
            moment.astimezone(home)
        except OverflowError:
            return found, True  # the wall clock would show the year 10000
        found.append(moment)
        if len(found) == count:
            return found, next_moment(entry, moment, next_after) is None
    return found, True


def run_json(moment: datetime, tz: str) -> dict[str, str]:
    """Return a moment as {"local": …, "utc": …}; "local" has the offset of the zone `tz`."""
    local = moment.astimezone(zone(tz)).isoformat()
    return {"local": local, "utc": format_moment(moment.astimezone(UTC))}
