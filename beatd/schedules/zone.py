"""Find time zones by their IANA names, and the changes of their clocks."""

import re
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from errno import EMFILE, ENFILE
from functools import lru_cache
from io import BytesIO
from typing import IO, Any
from zoneinfo import ZoneInfo

import pytz
from pytz.tzfile import build_tzinfo

from beatd.errors import ScheduleError
from beatd.schedules.quote import quoted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A second later than any that a datetime can hold.
FOREVER = 1 << 62
_SECOND = timedelta(seconds=1)
_ANY = datetime(2000, 1, 1)  # noqa: DTZ001

#: pytz reads the first half of its files, whose last transition is in 2037.
PYTZ_ENDS = int(datetime(2038, 1, 1, tzinfo=UTC).timestamp())
#: The rule at the end of a file is computed up to here; then the last offset stays.
RULE_ENDS = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
#: Seconds. Under such a rule no offset holds for a shorter time.
_MIN_STRETCH_S = 28 * 86400
#: Seconds. Under such a rule a clock changes on a quarter of an hour.
_QUARTER_S = 900

#: The files of all zones, and their names by those in lower case; `preload_zones` fills both.
_kept: dict[str, bytes] = {}
_spelled: dict[str, str] = {}


def preload_zones() -> None:
    """Read the files of all time zones into memory (0.7 MB), so that no later look-up opens one."""
    if not _kept:
        files = {}
        for name in pytz.all_timezones:
            with pytz.open_resource(name) as file:  # type: ignore[attr-defined]  # stubs lack it
                files[name] = file.read()
        _spelled.update({name.lower(): name for name in files})
        _kept.update(files)


def _opened(name: str) -> IO[bytes]:
    if name in _kept:
        return BytesIO(_kept[name])
    opened: IO[bytes] = pytz.open_resource(name)  # type: ignore[attr-defined]  # stubs lack it
    return opened


def _pytz(name: str) -> Any:
    """Return the pytz object of a time zone; upper and lower case are the same."""
    known = _spelled.get(name.lower())
    if known is None:
        return pytz.timezone(name)
    with _opened(known) as file:
        return build_tzinfo(known, file)


def zone(name: str | tzinfo) -> tzinfo:
    """Return the time zone for an IANA name in any case, or for another zone object.

    Raises ScheduleError if the zone has no known IANA name.
    """
    return _zone(zone_name(name))


@lru_cache(maxsize=700)
def _zone(name: str) -> ZoneInfo:
    """Return the time zone as a ZoneInfo read from pytz's file.

    Unlike a zone of pytz, it has the clock changes after 2037. They come from the second half of
    the file and from the POSIX rule at its end.
    """
    with _opened(name) as file:
        return ZoneInfo.from_file(file, key=name)


def zone_name(name: str | tzinfo) -> str:
    """Return the official IANA name of a time zone: "Europe/Berlin" for "europe/berlin".

    Raises ScheduleError if the zone is unknown, with a similar known name if there is one.
    """
    if isinstance(name, tzinfo):
        name = getattr(name, "zone", None) or getattr(name, "key", None) or name.tzname(None) or ""
    if not isinstance(name, str):
        raise ScheduleError(f"{quoted(name)} is not a time zone; write it like Europe/Berlin")
    return _known(name)


@lru_cache(maxsize=1024)
def _known(name: str) -> str:
    try:
        return str(_spelled.get(name.lower()) or pytz.timezone(name))
    except OSError as error:
        if error.errno in (EMFILE, ENFILE):
            raise  # it says nothing about the name
        raise ScheduleError(f"{quoted(name)} is not a time zone; {_hint(name)}") from None
    except (pytz.UnknownTimeZoneError, ValueError):
        raise ScheduleError(f"{quoted(name)} is not a time zone; {_hint(name)}") from None


@lru_cache(maxsize=1024)  # thousands of entries may have the same wrong zone
def _hint(name: str) -> str:
    # "GMT+8" is not corrected to Etc/GMT+8, which is eight hours WEST of Greenwich.
    if re.fullmatch(r"(?i)(utc|gmt)?\s*[+-]\s*[0-9:]+", name):
        return "name a place instead of an offset, like Asia/Shanghai"
    wanted = name[:40].strip().lower().replace(" ", "_")
    by_lower = {known.lower(): known for known in pytz.all_timezones}
    for lower, known in by_lower.items():
        if lower.rpartition("/")[2] == wanted:
            return f"did you mean {known}?"
    near = get_close_matches(wanted, by_lower, 1, 0.7)
    return f"did you mean {by_lower[near[0]]}?" if near else "write it like Europe/Berlin"


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """The UTC offsets of a time zone, such as +1 h in winter and +2 h in summer.

    Item j of each tuple is about the offset j, in the order of time.
    """

    # the UTC second at which the offset begins
    at: tuple[int, ...]
    # the offset in seconds
    off: tuple[int, ...]
    # the wall-clock second at which the offset begins, and the one before which it ends
    start: tuple[int, ...]
    end: tuple[int, ...]
    # the latest wall-clock second before the offset began. If start > reached, the clock skips a
    # time (a gap); if start < reached, it shows a time twice (a fold).
    reached: tuple[int, ...]

    def index(self, second: int) -> int:
        """Return the index of the UTC offset that applies at a UTC second."""
        return bisect_right(self.at, second) - 1


@lru_cache(maxsize=700)
def offsets(name: str) -> Offsets:
    """Return the UTC offsets of a time zone and when they apply, up to the year 2200.

    `name` must be a known name, as `zone_name` returns it.
    """
    known = _pytz(name)
    times: list[datetime] = getattr(known, "_utc_transition_times", None) or [_ANY]
    infos = getattr(known, "_transition_info", None) or [(known.utcoffset(_ANY),)]
    steps: list[int] = [info[0] // _SECOND for info in infos]
    at, off = [-FOREVER], [steps[0]]
    for time, step in zip(times[1:], steps[1:], strict=True):
        if step != off[-1]:
            at.append((time.replace(tzinfo=UTC) - EPOCH) // _SECOND)
            off.append(step)
    for second, step in _after_pytz(name):
        if step != off[-1]:
            at.append(second)
            off.append(step)
    start = [moment + step for moment, step in zip(at, off, strict=True)]
    end = [moment + step for moment, step in zip([*at[1:], FOREVER], off, strict=True)]
    reached = [start[0]]
    for before in end[:-1]:
        reached.append(max(reached[-1], before))
    return Offsets(*map(tuple, (at, off, start, end, reached)))


def _after_pytz(name: str) -> Iterator[tuple[int, int]]:
    """Yield each clock change after 2037 as (UTC second, new offset in seconds), up to 2200.

    The changes come from the list in the zone's file and from the rule at its end.
    """
    with _opened(name) as file:
        text = file.read()
    known = _zone(name)

    def offset(second: int) -> int:
        found = datetime.fromtimestamp(second, known).utcoffset()
        assert found is not None
        return found // _SECOND

    listed = _transitions(text)
    yield from ((second, offset(second)) for second in listed if second >= PYTZ_ENDS)
    if b"," not in text.splitlines()[-1]:
        return  # the rule at the end says no more than the last offset
    before = max([PYTZ_ENDS - _QUARTER_S, *listed]) // _QUARTER_S * _QUARTER_S
    step = offset(before)
    for second in range(before + _MIN_STRETCH_S, RULE_ENDS, _MIN_STRETCH_S):
        new = offset(second)
        if new != step:
            quarters = range(before, second + 1, _QUARTER_S)
            yield quarters[bisect_left(quarters, True, key=lambda at: offset(at) == new)], new
        before, step = second, new


def _transitions(text: bytes) -> tuple[int, ...]:
    """Return the UTC seconds of the clock changes in a TZif file (64-bit part, RFC 8536)."""
    header = struct.Struct(">4sc15x6l")
    *_, isutc, isstd, leap, times, types, letters = header.unpack_from(text)
    second = header.size + times * 5 + types * 6 + letters + leap * 8 + isstd + isutc
    *_, times, _, _ = header.unpack_from(text, second)
    return struct.unpack_from(f">{times}q", text, second + header.size)
