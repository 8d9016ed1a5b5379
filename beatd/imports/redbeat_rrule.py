"""Convert RedBeat's recurrence rules to iCalendar text with wall-clock times."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from beatd.errors import ConfigError
from beatd.imports.celery_terms import Terms

_FREQ = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY = ("bysetpos", "bymonth", "bymonthday", "byyearday", "byweekno", "byhour", "byminute",
       "bysecond")  # fmt: skip


def rrule(given: Mapping[str, Any], zone: str) -> Terms:
    """Return the schedule of a RedBeat rrule, which is a recurrence rule, as iCalendar text.

    `zone` is the app's time zone. If the rule starts at another offset from UTC, the result has its
    own `tz` and a note. Raises ConfigError for a rule with byeaster, or if no zone has the offset.
    """
    if given.get("byeaster") is not None:
        raise ConfigError("its rrule has byeaster, which iCalendar rules have not")
    rule = ";".join(_parts(given))
    if given.get("dtstart") is None:
        return Terms({"rrule": rule})
    start = _seconds(given["dtstart"])
    offset = timedelta(minutes=float(given.get("dtstart_tz") or 0))
    own = _zone(offset, start, zone)
    wall = start.astimezone(timezone(offset))
    plain = {"rrule": f"DTSTART:{wall:%Y%m%dT%H%M%S}\nRRULE:{rule}"}
    if own != zone:
        return Terms({**plain, "tz": own}, (f"its rrule is on the clock of {own}",))
    return Terms(plain)


def _zone(offset: timedelta, start: datetime, zone: str) -> str:
    # RedBeat stores only the offset, not the zone: `zone` itself, or one like "Etc/GMT-2". Raises
    # ConfigError if no zone has it.
    theirs: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    if start.astimezone(theirs).utcoffset() == offset:
        return zone
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest or not -12 <= hours <= 14:
        raise ConfigError(
            f"its rrule is on the clock of {timezone(offset)}, which {zone} is not; "
            "import it with the --tz of its app"
        )
    # These names have the opposite sign.
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def _parts(given: Mapping[str, Any]) -> list[str]:
    freq = given["freq"]
    parts = [f"FREQ={_FREQ[freq] if isinstance(freq, int) else str(freq).upper()}"]
    if given.get("interval") not in (None, 1):
        parts.append(f"INTERVAL={int(given['interval'])}")
    if given.get("wkst") is not None:
        parts.append(f"WKST={_day(given['wkst'])}")
    if given.get("count") is not None:
        parts.append(f"COUNT={int(given['count'])}")
    if given.get("until") is not None:
        parts.append(f"UNTIL={_seconds(given['until']):%Y%m%dT%H%M%SZ}")
    for key in _BY:
        if given.get(key) is not None:
            parts.append(f"{key.upper()}={_numbers(given[key])}")
    if given.get("byweekday") is not None:
        days = given["byweekday"]
        days = days if isinstance(days, list) else [days]
        parts.append(f"BYDAY={','.join(_day(day) for day in days)}")
    return parts


def _day(value: Any) -> str:
    if isinstance(value, dict):
        value, nth = value.get("wkday", value.get("weekday")), value.get("n")
        return f"{nth or ''}{_DAYS[int(value)]}"
    return _DAYS[int(value)]


def _numbers(value: Any) -> str:
    return ",".join(str(int(item)) for item in (value if isinstance(value, list) else [value]))


def _seconds(value: Any) -> datetime:
    return datetime.fromtimestamp(float(value), UTC)
