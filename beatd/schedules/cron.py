"""Schedules from cron texts and Celery crontabs, which run at matching times of the wall clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules import celery_fields, cron_text
from beatd.schedules.celery_fields import Written
from beatd.schedules.dst import checked, first_fire, moment_at, second_after
from beatd.schedules.quote import quoted
from beatd.schedules.walk import Fields
from beatd.schedules.zone import Offsets, offsets, zone_name


@dataclass(frozen=True, slots=True, eq=False)
class Cron:
    """A schedule that runs at certain times of the wall clock, such as each day at 02:00.

    `fields` are the matching times, and `tz` is the zone of the clock. `gap` ("run" or "skip") is
    the rule for a time that the clock skips; `fold` ("first", "last" or "both") is the rule for a
    time that it shows twice. `written` is the cron text, or the pairs of the crontab mapping.

    Two schedules are equal exactly when they run at the same moments. So `gap` is always "skip" and
    `fold` always "both" where they do not matter: if the minute or hour field begins with *, or if
    the zone's clock never changes.
    """

    fields: Fields
    tz: str
    gap: str
    fold: str
    written: str | tuple[tuple[str, Written], ...]
    zone: Offsets = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone", offsets(self.tz))
        object.__setattr__(self, "_hash", hash((self.fields, self.tz, self.gap, self.fold)))

    @property
    def period(self) -> None:
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first run after `moment`, in UTC; None if there is none.

        Raises ScheduleError if `moment` has no time zone.
        """
        return moment_at(
            first_fire(
                self.zone, self.fields.at_or_after, self.gap, self.fold, second_after(moment)
            )
        )

    def at_or_after(self, local: int) -> int | None:
        """Return the first matching wall-clock second at or after `local`; None if there is none.

        Seconds count from 1970-01-01 00:00 on the wall clock.
        """
        return self.fields.at_or_after(local)

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML writes it, such as {"cron": "0 2 * * *"}.

        A crontab of Celery becomes {"crontab": {key: value}}, with lists of numbers sorted.
        """
        if isinstance(self.written, str):
            return {"cron": self.written}
        return {
            "crontab": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in self.written
            }
        }

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Cron):
            return NotImplemented
        return (self.fields, self.tz, self.gap, self.fold) == (
            other.fields,
            other.tz,
            other.gap,
            other.fold,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled by building it again: the hash of a text differs in every process.
        return Cron, (self.fields, self.tz, self.gap, self.fold, self.written)


def cron(
    text: str,
    *,
    tz: str | tzinfo = "UTC",
    dst_gap: str = "run",
    dst_fold: str = "first",
    name: str = "",
) -> Cron:
    """Return the schedule of a cron text, such as "0 2 * * *", in the time zone `tz`.

    `dst_gap` ("run" or "skip") is the rule for a time that the clock skips. `dst_fold` ("first",
    "last" or "both") is the rule for a time that the clock shows twice. Each `H` in the text
    becomes a fixed value computed from `name`, the name of the entry. Raises ScheduleError if the
    text is wrong or can never match.
    """
    if not isinstance(text, str):
        raise ScheduleError(f"{quoted(text)} is not a cron text; write it in quotes: '0 2 * * *'")
    seed = name if cron_text.uses_hash(text) else ""
    return _cron(text, zone_name(tz), *checked(dst_gap, dst_fold), seed)


def crontab(
    text: str | None = None,
    /,
    *,
    tz: str | tzinfo = "UTC",
    dst_gap: str = "run",
    dst_fold: str = "first",
    name: str = "",
    **fields: Any,
) -> Cron:
    """Return the schedule of a cron text, or of Celery's crontab fields given as keywords.

    `tz`, `dst_gap`, `dst_fold` and `name` have the same meaning as in `cron`. Raises ScheduleError
    if both a text and fields are given.
    """
    if text is None:
        return from_mapping(fields, tz=tz, dst_gap=dst_gap, dst_fold=dst_fold)
    if fields:
        raise ScheduleError(
            f"crontab takes a cron text or fields, not both; got {quoted(text)} and "
            f"{', '.join(fields)[:60]}"
        )
    return cron(text, tz=tz, dst_gap=dst_gap, dst_fold=dst_fold, name=name)


def from_mapping(
    fields: Mapping[str, Any],
    *,
    tz: str | tzinfo,
    dst_gap: str,
    dst_fold: str,
) -> Cron:
    """Return the schedule of Celery's crontab fields; a missing field means *.

    `dst_gap` ("run" or "skip") is the rule for a time that the clock skips. `dst_fold` ("first",
    "last" or "both") is the rule for a time that the clock shows twice. Raises ScheduleError if the
    fields are wrong or can never match.
    """
    if not isinstance(fields, Mapping):
        raise ScheduleError(
            f"crontab is a mapping such as {{minute: 0, hour: '*/3'}}, not {quoted(fields)}; "
            "for a cron text write cron:"
        )
    return _mapping(celery_fields.written(fields), zone_name(tz), *checked(dst_gap, dst_fold))


@lru_cache(maxsize=4096)
def _cron(text: str, tz: str, gap: str, fold: str, seed: str) -> Cron:
    parsed = cron_text.parse(text, seed)
    return Cron(parsed.fields, tz, *_effective(parsed.wildcard, tz, gap, fold), text)


@lru_cache(maxsize=4096)
def _mapping(fields: tuple[tuple[str, Written], ...], tz: str, gap: str, fold: str) -> Cron:
    parsed = celery_fields.parse(fields)
    return Cron(parsed.fields, tz, *_effective(parsed.wildcard, tz, gap, fold), fields)


def _effective(wildcard: bool, tz: str, gap: str, fold: str) -> tuple[str, str]:
    # Returns (gap, fold). With * as minute or hour, or a clock that never changes, they do not
    # matter: equal schedules then get equal rules.
    if wildcard or len(offsets(tz).at) == 1:
        return "skip", "both"
    return gap, fold
