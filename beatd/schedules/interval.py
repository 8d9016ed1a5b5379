"""Schedules that run at a fixed interval, such as every 5 minutes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules.dst import no_zone
from beatd.schedules.duration import format_duration, parse_duration
from beatd.schedules.quote import quoted
from beatd.schedules.zone import EPOCH

_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_MIN_PERIOD = timedelta(milliseconds=1)  # the daemon looks no more often
_MAX_PERIOD = timedelta(days=36525)
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """A schedule that runs at a fixed interval of `period` microseconds.

    The runs are counted from `offset` microseconds after 1970-01-01 UTC. `written` has the keys and
    values of the configuration, such as `every`.
    """

    period: int
    offset: int
    written: tuple[tuple[str, Any], ...]
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.period, self.offset)))

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first run after `moment`, in UTC; None if it is after the year 9999.

        Raises ScheduleError if `moment` has no time zone.
        """
        try:
            since = moment - EPOCH
        except TypeError:
            raise no_zone(moment) from None
        now = (since.days * 86400 + since.seconds) * _SECOND + since.microseconds - self.offset
        point = now - now % self.period + self.period + self.offset
        return EPOCH + timedelta(0, 0, point) if point <= _LAST else None

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML writes it, such as {"every": "5m", "phase": "7s"}.

        `phase` or `spread` is present only if the configuration has it.
        """
        return {
            key: dict(value) if isinstance(value, tuple) else value for key, value in self.written
        }

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Interval):
            return NotImplemented
        return self.period == other.period and self.offset == other.offset

    def __reduce__(self) -> tuple[Any, ...]:
        return Interval, (self.period, self.offset, self.written)


def interval(
    every: Any,
    *,
    phase: Any = None,
    spread: bool = False,
    name: str = "",
    start: datetime | None = None,
) -> Interval:
    """Return a schedule that runs at a fixed interval, such as every "5m".

    The intervals count from `start`, or else from 1970-01-01 UTC. `phase` delays each run by a
    duration. `spread` delays each run by a part of the interval computed from `name`, so that
    entries do not all run at once. Raises ScheduleError for a wrong duration, and if both `phase`
    and `spread` are given.
    """
    length = parse_duration(every)
    if not length:
        raise ScheduleError(f"every {quoted(every)} is no time at all; write it like every: 30s")
    if length < _MIN_PERIOD:
        raise ScheduleError(f"every {quoted(every)} is too often; every: 1ms is the most")
    if length > _MAX_PERIOD:
        raise ScheduleError(
            f"every {quoted(every)} is longer than a century; write at: for a single moment"
        )
    if start is not None and start.tzinfo is None:
        raise ScheduleError(f"start {quoted(start)} has no time zone; give one, like +01:00")
    if not isinstance(spread, bool):
        raise ScheduleError(f"spread is true or false, not {quoted(spread)}")
    period = length // _MICROSECOND
    offset = (start - EPOCH) // _MICROSECOND if start is not None else 0
    written: list[tuple[str, Any]] = [("every", _written(every))]
    if spread:
        if phase is not None:
            raise ScheduleError("spread and phase both shift the grid; keep one of them")
        offset += _share(name, period)
        written.append(("spread", True))
    elif phase is not None:
        shift = parse_duration(phase)
        offset += shift // _MICROSECOND
        written.append(("phase", phase if isinstance(phase, str) else format_duration(shift)))
    return Interval(period, offset % period, tuple(written))


def _share(name: str, period: int) -> int:
    """Return a fixed delay for the entry `name` that is shorter than `period`, in microseconds.

    It is rounded down to a millisecond if the period is a second or more. Raises ScheduleError if
    `name` is empty.
    """
    if not name:
        raise ScheduleError(
            "spread is drawn from the entry's name, and there is none; write phase: 7s"
        )
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    share = int.from_bytes(digest, "big") % period
    return share - share % 1000 if period >= _SECOND else share


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return format_duration(value)
    return tuple(value.items()) if isinstance(value, Mapping) else value
