"""Make a schedule from plain data, such as {"every": "5m"} in YAML or JSON."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from difflib import get_close_matches
from typing import Any

from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.schedules import solar
from beatd.schedules.at import at
from beatd.schedules.cron import cron, from_mapping
from beatd.schedules.dst import checked
from beatd.schedules.interval import interval
from beatd.schedules.quote import quoted
from beatd.schedules.rrule import rrule

KINDS = ("every", "cron", "crontab", "at", "solar", "rrule")
_WITH_EVERY = ("spread", "phase")


def schedule_from(
    plain: Mapping[str, Any],
    *,
    tz: str | tzinfo = "UTC",
    name: str = "",
    start: datetime | None = None,
    dst_gap: str = "run",
    dst_fold: str = "first",
) -> Schedule:
    """Return the schedule that a mapping describes, such as {"every": "5m"}.

    The mapping must have exactly one kind of schedule (a key in `KINDS`). `tz` is the zone of the
    schedule's wall clock. `dst_gap` ("run" or "skip") is the rule for a time that the clock skips.
    `dst_fold` ("first", "last" or "both") is the rule for a time that the clock shows twice. `name`
    is the entry's name, from which `spread` and H are computed. `start` is the moment from which an
    `every` counts. Raises ScheduleError if the mapping is wrong.
    """
    if not isinstance(plain, Mapping):
        raise ScheduleError(f"a schedule is a mapping such as {{every: 30s}}, not {quoted(plain)}")
    kinds = [key for key in plain if key in KINDS]
    for key in plain:
        if key not in KINDS and key not in _WITH_EVERY:
            raise ScheduleError(f"a schedule has no {quoted(key)}; {_hint(key)}")
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none"
        raise ScheduleError(f"a schedule has exactly one of {', '.join(KINDS)}; this has {found}")
    kind, value = kinds[0], plain[kinds[0]]
    checked(dst_gap, dst_fold)
    if kind == "every":
        return interval(value, phase=plain.get("phase"), spread=plain.get("spread", False),
                        name=name, start=start)  # fmt: skip
    for key in _WITH_EVERY:
        if key in plain:
            raise ScheduleError(f"{key} shifts the grid of an every; {kind} has none")
    match kind:
        case "cron":
            return cron(value, tz=tz, dst_gap=dst_gap, dst_fold=dst_fold, name=name)
        case "crontab":
            if isinstance(value, str):
                raise ScheduleError(
                    f"crontab is a mapping such as {{minute: 0, hour: '*/3'}}; "
                    f"for the text {quoted(value)} write cron:"
                )
            return from_mapping(value, tz=tz, dst_gap=dst_gap, dst_fold=dst_fold)
        case "at":
            return at(value, tz=tz)
        case "rrule":
            return rrule(value, tz=tz, dst_gap=dst_gap, dst_fold=dst_fold)
    return solar.from_mapping(value)


def _hint(key: Any) -> str:
    near = get_close_matches(str(key)[:40], (*KINDS, *_WITH_EVERY), 1)
    return f"did you mean {near[0]}?" if near else f"it has one of {', '.join(KINDS)}"
