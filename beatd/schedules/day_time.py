"""Read a time of day, such as 14:30, as the newest or the next moment at which a clock shows it."""

import re
from datetime import datetime, timedelta

from beatd.errors import ScheduleError
from beatd.schedules.moment import in_zone, parse_moment
from beatd.schedules.quote import quoted
from beatd.schedules.zone import zone

_DAY_TIME = re.compile(r"(\d?\d):(\d\d)(?::(\d\d))?", re.ASCII)
_DAYS_TRIED = 3  # on one of them, the time of a change of clocks is neither skipped nor over


def with_date(text: str, tz: str, now: datetime, *, coming: bool) -> str:
    """Return a time of day with its date, such as "2027-01-31T14:30:00".

    Any other text is returned as it is. The date is that of the next such moment in the zone `tz`
    if `coming` is True, else that of the newest one. Raises ScheduleError if no clock shows the
    time.
    """
    found = _DAY_TIME.fullmatch(text.strip())
    if found is None:
        return text
    hour, minute, second = (int(part or 0) for part in found.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ScheduleError(f"{quoted(text)} is not a time of day; write it like 14:30")
    today = in_zone(now, zone(tz)).replace(tzinfo=None)
    for days in range(_DAYS_TRIED):
        day = today + timedelta(days if coming else -days)
        dated = day.replace(hour=hour, minute=minute, second=second, microsecond=0).isoformat()
        moment = parse_moment(dated, tz)
        if moment > now if coming else moment <= now:
            break
    return dated
