"""Compare beatd's reading of a cron text with that of croniter, and explain a difference.

The runs of both are compared in UTC. The daemon does not use this module, because croniter needs
some 90 us for each moment.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from croniter import croniter
from croniter.croniter import CroniterError

from beatd.errors import ScheduleError
from beatd.schedules.cron import crontab
from beatd.schedules.cron_text import NICKNAMES

COMPARED_MOMENTS = 100  # of the text, and of its days alone
MAX_YEARS_AHEAD = 50  # croniter searches no further for a moment
HASHED = re.compile(r"(?i)(?:^|[\s,])[hr]\b|\br\(")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first run that beatd and croniter compute differently, and the reason.

    `ours` is the run of beatd, `theirs` the run of croniter; None means that no run follows. `rule`
    is a sentence that explains the difference.
    """

    ours: datetime | None
    theirs: datetime | None
    rule: str

    def __str__(self) -> str:
        theirs, ours = _shown(self.theirs), _shown(self.ours)
        return f"croniter reads it differently: it runs {theirs}, beatd {ours}; {self.rule}"


@lru_cache(maxsize=1000)
def difference(text: str, since: datetime) -> Difference | None:
    """Return the first run after `since` that beatd and croniter compute differently.

    None if both agree on the next runs, if one of them cannot read the text, or if the text has an
    H, whose value each computes in its own way.
    """
    fields = NICKNAMES.get(text.strip().lower(), text).split()
    if HASHED.search(text):
        return None  # each hashes by its own rule
    at = 1 if len(fields) > 5 else 0
    days_alone = ["0", "0", *fields[at + 2 : at + 5]]
    for compared in (fields, days_alone):
        found = _first_difference(compared, since)
        if found is not None:
            ours, theirs = found
            return Difference(ours, theirs, _rule(fields[at + 2], fields[at + 4], compared, since))
    return None


def _first_difference(
    fields: list[str], since: datetime, *, either_day: bool = True
) -> tuple[datetime | None, datetime | None] | None:
    try:
        ours = crontab(" ".join(fields), tz="UTC")
        theirs = croniter(
            " ".join(fields),
            since,
            # True: a day needs to match only one of two restricted day fields.
            day_or=either_day,
            second_at_beginning=True,
            max_years_between_matches=MAX_YEARS_AHEAD,
        )
    except (ScheduleError, CroniterError, ValueError, KeyError):
        return None
    moment: datetime | None = since
    for _ in range(COMPARED_MOMENTS):
        assert moment is not None
        moment = ours.next_after(moment)
        try:
            other: datetime | None = theirs.get_next(datetime)
        except CroniterError:
            other = None
        if moment != other:
            # The first two runs (ours, theirs) that differ.
            return moment, other
        if moment is None:
            return None
    return None


def _rule(day: str, weekday: str, fields: list[str], since: datetime) -> str:
    # `day` and `weekday` are the fields of the text; `fields` are the five that were compared.
    if _first_difference(fields, since, either_day=False) is None:
        return (
            "where a day field begins with *, both day fields must match here and in cronie, "
            "either one in croniter"
        )
    if any(re.search(r"(?i)[lw#]", field) for field in (day, weekday)):
        return (
            "where both day fields are restricted, either one matches here, as in cronie; croniter "
            "does not apply that to L, W and #"
        )
    if any(re.search(r"(?i)\b(\w+)-\1(?!\w)", field) for field in fields):
        return "a range from a value to itself is that value here and in cronie, all in croniter"
    return "the rules are in docs/time.md"


def _shown(moment: datetime | None) -> str:
    return "never again" if moment is None else f"{moment.astimezone(UTC):%a %Y-%m-%d %H:%M:%S}"
