"""Parse cron texts of five fields, of six with seconds first, or of seven with the year last."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from beatd.errors import ScheduleError
from beatd.schedules import days
from beatd.schedules.cron_fields import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    YEAR,
    FieldParser,
    WrongField,
)
from beatd.schedules.quote import quoted
from beatd.schedules.walk import FIRST_YEAR, Fields

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MAX_CHARS = 1000
_ORDER = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR)
_HASHED = re.compile(r"(?i)(?:^|[\s,])h")


@dataclass(frozen=True, slots=True)
class CronText:
    """The times that a cron text matches, as the result of parsing the text.

    `wildcard` is True if the minute or hour field begins with *.
    """

    fields: Fields
    wildcard: bool


def uses_hash(text: str) -> bool:
    """Return True if a cron text has an H, a value that is computed from the entry's name."""
    return _HASHED.search(text) is not None


@lru_cache(maxsize=4096)
def parse(text: str, seed: str) -> CronText:
    """Return the times that a cron text matches.

    Each `H` in the text becomes a fixed value computed from `seed`. Raises ScheduleError if the
    text is wrong or can never match.
    """
    words = split(text)
    try:
        parsed = FieldParser(seed)
        masks = [
            parsed.mask(field, word)
            for field, word in zip(_ORDER, words, strict=True)
            if field is not DAY and field is not WEEKDAY
        ]
        second, minute, hour, month, year = masks
        table = _table(words[3], words[5], seed)
    except WrongField as wrong:
        raise ScheduleError(f"cron {quoted(text)}: {wrong}") from None
    month, table = days.reachable(month, table)
    fields = Fields(
        second, minute, hour, month, table, None if words[6] == "*" else year >> FIRST_YEAR
    )
    if not month or (fields.years is not None and fields.at_or_after(0) is None):
        raise ScheduleError(f"cron {quoted(text)} can never fire: no such day ever comes")
    return CronText(fields, words[1].startswith("*") or words[2].startswith("*"))


# These two fields take the longest to parse, and most texts have the same two.
@lru_cache(maxsize=4096)
def _table(day: str, weekday: str, seed: str) -> days.Table:
    # Raises `WrongField` if a field is invalid.
    return days.table(FieldParser(seed).day_rule(day, weekday))


def split(text: str) -> list[str]:
    """Return the seven fields of a cron text in lower case, from seconds to year.

    Missing seconds become 0, and a missing year becomes *. Raises ScheduleError if the text does
    not have five to seven fields.
    """
    if len(text) > _MAX_CHARS:
        raise ScheduleError(
            f"cron {quoted(text)} is {len(text)} characters long; {_MAX_CHARS} will do"
        )
    lower = text.strip().lower()
    if lower.startswith("@"):
        lower = _nickname(text, lower)
    words = lower.split()
    match len(words):
        case 5:
            return ["0", *words, "*"]
        case 6:
            if words[5].isdigit() and len(words[5]) == 4:
                raise ScheduleError(
                    f"cron {quoted(text)}: six fields put the seconds first, and a year needs "
                    f"seven; write '0 {' '.join(words)}'"
                )
            return [*words, "*"]
        case 7:
            return words
    if length := re.fullmatch(r"(?:every\s+)?([0-9][0-9.]{,20})\s*([a-z]{1,8})", lower):
        raise ScheduleError(
            f"{quoted(text)} is not a cron text; for an interval write every: "
            f"{length[1]}{length[2]}"
        )
    raise ScheduleError(
        f"{quoted(text)} is not a cron text: it has {len(words)} field{'s' * (len(words) != 1)}; "
        "write five (minute hour day month weekday), six with the seconds first, "
        "or seven with the year last"
    )


def _nickname(text: str, lower: str) -> str:
    """Return the five cron fields of a nickname such as @daily.

    Raises ScheduleError if the nickname is unknown.
    """
    if lower in NICKNAMES:
        return NICKNAMES[lower]
    if lower == "@reboot":
        raise ScheduleError("'@reboot' is no moment in time; beatd runs entries by the clock only")
    if lower.startswith("@every"):
        length = "".join(lower.removeprefix("@every").split())
        if not re.fullmatch(r"[0-9a-zµ.]{1,20}", length):
            length = "5m"  # the text may have a line break or a control character
        raise ScheduleError(f"{quoted(text)} is an interval; write every: {length}")
    near = get_close_matches(lower[:20], NICKNAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {' '.join(NICKNAMES)}"
    raise ScheduleError(f"{quoted(text)} is not a cron text; {hint}")
