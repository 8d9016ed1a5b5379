"""Describe a cron schedule in plain English."""

from itertools import pairwise

from beatd.schedules import celery_fields, cron_fields, cron_text
from beatd.schedules.clock_words import clock_words
from beatd.schedules.cron import Cron
from beatd.schedules.cron_fields import DAY, WEEKDAY
from beatd.schedules.speech import DAY_NAMES, bits, joined, months, nth, ordinal, runs, weekdays
from beatd.schedules.walk import FIRST_YEAR


def cron_words(cron: Cron) -> str:
    """Return a cron schedule in plain English, such as "at 02:30 on Monday".

    Days, months and years appear only if they are restricted, the zone only if it is not UTC.
    """
    fields = cron.fields
    words = clock_words(bits(fields.seconds), bits(fields.minutes), bits(fields.hours))
    words += _days(cron)
    if (allowed := bits(fields.months)) != list(range(1, 13)):
        words += f" in {months(allowed)}"
    if fields.years is not None:
        words += f" of {runs([FIRST_YEAR + year for year in bits(fields.years)], str)}"
    return words if cron.tz == "UTC" else f"{words}, {cron.tz} time"


def _days(cron: Cron) -> str:
    if isinstance(cron.written, str):
        words = cron_text.split(cron.written)
        day, weekday = _text_days(words[3]), _text_weekdays(words[5])
        either = words[3][0] not in "*?" and words[5][0] not in "*?"
    else:
        day_mask, weekday_mask = celery_fields.day_masks(cron.written)
        day = _monthdays(day_mask)
        weekday = weekdays(bits(weekday_mask)) if len(bits(weekday_mask)) < 7 else ""
        either = False
    if either and not (day and weekday):
        return ""
    if either:
        every = "" if weekday.startswith("the ") else "every "
        return f" on {day} and on {every}{weekday}"
    if day and weekday:
        return f" on {day} if that is {weekday}"
    if day:
        return f" on {day}"
    return f" on {weekday}" if weekday else ""


def _text_days(word: str) -> str:
    """Return the day-of-month field of a cron text in words; "" if every day matches."""
    mask, parts = 0, []
    for part in word.split(","):
        if part == "l":
            parts.append("the last day")
        elif "w" in part:
            number = part.strip("w")
            near = f"the working day nearest the {ordinal(int(number))}" if number != "l" else ""
            parts.append(near or "the last working day")
        elif part.startswith("h"):
            parts.append("a day drawn from its name")
        else:
            mask |= cron_fields.mask(DAY, part.replace("-l", "-31"))
    if not mask:
        return joined(parts)
    every = _monthdays(mask)
    return joined([every, *parts]) if every else ""


def _text_weekdays(word: str) -> str:
    """Return the day-of-week field of a cron text in words; "" if every day matches."""
    mask, parts = 0, []
    for part in word.split(","):
        base, _, count = part.partition("#")
        if count:
            names = weekdays(bits(cron_fields.mask(WEEKDAY, base)))
            parts.append(f"the {nth(int(count))} {names}")
        elif part.startswith("l") or part.endswith("l"):
            parts.append(f"the last {DAY_NAMES[WEEKDAY.number(part.strip('l')) % 7]}")
        elif part.startswith("h"):
            parts.append("a day drawn from its name")
        else:
            mask |= cron_fields.mask(WEEKDAY, part)
    if not mask:
        return joined(parts)
    return joined([weekdays(bits(mask)), *parts]) if mask != 0b1111111 else ""


def _monthdays(mask: int) -> str:
    days = bits(mask)
    if len(days) == 31:
        return ""
    spacing = {later - day for day, later in pairwise(days)}
    if len(days) > 3 and len(spacing) == 1 and spacing != {1}:
        return f"every {ordinal(spacing.pop())} day from the {ordinal(days[0])}"
    return f"the {runs(days, ordinal)}"
