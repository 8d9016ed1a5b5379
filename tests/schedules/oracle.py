"""A second opinion: every minute of a stretch of time, one by one, by pytz and the rule.

It shares nothing with beatd.schedules: no masks, no stretches of offset, no search.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytz

MINUTE = timedelta(minutes=1)
#: More than any clock was ever moved at once.
LONGEST_STEP = timedelta(hours=26)


def minute_walk(
    matches: Callable[[datetime], bool],
    tz: str,
    begin: datetime,
    end: datetime,
    *,
    wildcard: bool,
    gap: str = "run",
    fold: str = "first",
) -> list[datetime]:
    """All fire times in (begin, end], for a job whose matching wall-clock minutes are given."""
    zone = pytz.timezone(tz)
    clock: list[tuple[datetime, datetime]] = []
    moment = (begin - LONGEST_STEP).replace(second=0, microsecond=0)
    while moment <= end + LONGEST_STEP:
        clock.append((moment, moment.astimezone(zone).replace(tzinfo=None)))
        moment += MINUTE
    passes = Counter(local for _, local in clock)
    seen: Counter[datetime] = Counter()
    latest = clock[0][1]
    fires = []
    for moment, local in clock:
        seen[local] += 1
        fire = matches(local) and (
            wildcard
            or fold == "both"
            or (fold == "first" and seen[local] == 1)
            or (fold == "last" and seen[local] == passes[local])
        )
        if not wildcard and gap == "run":
            missed = latest + MINUTE
            while missed < local and not fire:
                fire = matches(missed)
                missed += MINUTE
        latest = max(latest, local)
        if fire and begin < moment <= end:
            fires.append(moment.astimezone(UTC))
    return fires
