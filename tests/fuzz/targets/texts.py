"""Texts that say when: cron, crontab, rrule, durations and moments."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from beatd.entry import Schedule
from beatd.errors import BeatError
from beatd.schedules import (
    clock_change,
    cron,
    describe,
    format_duration,
    may_have_clock_changes,
    parse_duration,
    parse_moment,
    rrule,
    schedule_from,
)
from beatd.schedules.moment import format_moment
from beatd.schedules.second_opinion import difference
from beatd.views.time_text import moment_text, read_moment_or_length, short_moment_text
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.files import values

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FROM = (NOW, datetime.min.replace(tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC))
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Etc/GMT+12",
    "Africa/Monrovia",
)
CRONS = (
    "* * * * *", "0 0 30 2 *", "*/5 * * * * *", "0 0 0 29 2 ? 2100", "30 2 * * mon-fri", "0 0 L * fri#2", "0 0 15W * L5", "@daily", "@hourly",
    "H H(0-3) * * *", "H/7 * * * *", "0,30 9-17/2 1-7,L jan,DEC 0,7", "5-0 5-0 * * fri-sun", "59 59 23 31 12 ? 1999-2199", "0 0 */2 * mon",
)  # fmt: skip
RRULES = (
    "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=SECONDLY;INTERVAL=7",
    "DTSTART:20270101T090000\nRRULE:FREQ=DAILY;COUNT=10\nEXDATE:20270102T090000",
    "DTSTART;TZID=Europe/Berlin:20260329T023000\nRRULE:FREQ=DAILY;UNTIL=20270101T000000Z",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU;BYSETPOS=-1", "FREQ=WEEKLY;WKST=SU;BYDAY=MO,2TU;BYMINUTE=0,59;BYSECOND=60",
    "FREQ=YEARLY;BYYEARDAY=366,-366;BYEASTER=0", "FREQ=HOURLY;BYHOUR=25", "RDATE:20270101T000000Z",
    "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4",
)  # fmt: skip
DURATIONS = (
    "30s", "5m", "1h30m", "1d", "90", "0.5", "1w 2d 3h", "1.5ms", "7µs", ".25 hours", '{"minutes": 5}', '{"days": 1, "seconds": 0.5}', "90.25",
    "1000000000d", '{"weeks": 1e300}', "[]", "true",
)  # fmt: skip
MOMENTS = (
    "2027-01-01T09:00:00+08:00", "2027-01-01", "2026-03-29T02:30", "2026-10-25T02:30:00.123456", "0001-01-01", "9999-12-31T23:59:59",
    "2016-12-31T23:59:60", "20270101T090000Z", "2026-W53-7", "10m", "1h30m", "2027-01-01 09:00", "2027-01-01T24:00",
)  # fmt: skip
CRON_WORDS = (
    "*", "*/", "/", "-", ",", "?", "L", "W", "#", "H", "H(", "LW", "L-3", "15W", "mon", "SUN", "jan", "0-6", "7", "60", "@daily", "@reboot", "@every", " ", "\t",
    *ZONES,
)  # fmt: skip
RRULE_WORDS = (
    *("FREQ=", "INTERVAL=", "COUNT=", "UNTIL=", "DTSTART:", "DTSTART;TZID=", "EXDATE:", "RDATE:", "RRULE:", "EXRULE:", "WKST=", ";", ",", "\n"),
    *(f"BY{part}=" for part in ("SECOND", "MINUTE", "HOUR", "DAY", "MONTHDAY", "YEARDAY", "WEEKNO", "MONTH", "SETPOS", "EASTER")),
    *("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", "MO", "-1FR", "53SU", "-366", "366", *ZONES),
)  # fmt: skip


def run_times(schedule: Schedule) -> str:
    """Walk a schedule from several moments, describe it, and return which kind of result it had."""
    counts = []
    for moment in FROM:
        count = 0
        after: datetime | None = moment
        while count < 3 and after is not None:
            found = schedule.next_after(after)
            assert found is None or found > after, f"{found} is not after {after}"
            after, count = found, count + 1
        counts.append(count)
        if after is not None and may_have_clock_changes(schedule):
            clock_change(schedule, after)
    words = describe(schedule)
    assert words and "\n" not in words
    return f"runs {counts} {len(words.split())}"


def _cron(data: bytes) -> str:
    text, zone, gap, fold = _parts(data, 4)
    schedule = cron(
        text, tz=zone or "UTC", dst_gap=gap or "run", dst_fold=fold or "first", name="a"
    )
    return run_times(schedule)


def _second(data: bytes) -> str:
    (text,) = _parts(data, 1)
    cron(text, name="a")
    return "differs" if difference(text, NOW) else "agrees"


def _rrule(data: bytes) -> str:
    zone, _, text = data.decode(errors="surrogateescape").partition("\n")
    return run_times(rrule(text, tz=zone or "UTC"))


def _every(data: bytes) -> str:
    plain = _plain(data)
    if isinstance(plain, dict) and isinstance(plain.get("start"), str):
        start = parse_moment(plain.pop("start"))
        return run_times(schedule_from(plain, name="a", start=start))
    return run_times(schedule_from(plain, name="a"))


def _duration(data: bytes) -> str:
    length = parse_duration(_plain(data))
    assert length >= timedelta(0)
    assert parse_duration(format_duration(length)) == length
    return f"{len(str(length.days))} {bool(length.microseconds)}"


def _moment(data: bytes) -> str:
    text, zone = _parts(data, 2)
    zone = zone or "UTC"
    moment = read_moment_or_length("--at", text, zone, NOW)
    moment_text(moment, zone)
    short_moment_text(moment, zone, NOW)
    try:
        exact = parse_moment(text, zone)
    except BeatError:
        return "length"
    assert parse_moment(format_moment(exact)) == exact
    return f"moment {len(str(exact.year))}"


def _parts(data: bytes, count: int) -> list[str]:
    lines = data.decode(errors="surrogateescape").split("\n", count - 1)
    return [*lines, *[""] * (count - len(lines))]


def _plain(data: bytes) -> object:
    text = data.decode(errors="surrogateescape")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def direct(call: Call) -> Callable[[Path], AbstractContextManager[Call]]:
    """Return the `opened` of a target that needs no preparation."""

    @contextmanager
    def opened(_: Path) -> Iterator[Call]:
        yield call

    return opened


def _seeds(texts: Iterable[str]) -> Callable[[], Iterator[bytes]]:
    return lambda: (text.encode() for text in texts)


def _crons() -> Iterator[bytes]:
    for place, text in enumerate((*CRONS, *values("cron"))):
        yield text.encode()
        yield f"{text}\n{ZONES[place % len(ZONES)]}\nskip\nboth".encode()


def _rrules() -> Iterator[bytes]:
    for place, text in enumerate((*RRULES, *values("rrule"))):
        yield f"{ZONES[place % len(ZONES)]}\n{text}".encode()


TARGETS = (
    Target(
        name="cron", about="a cron text, its zone and DST rules; its runs and its words",
        seeds=_crons, opened=direct(_cron), words=CRON_WORDS, weight=2,
    ),
    Target(
        name="second-opinion", about="a cron text compared with croniter, as `check` does",
        seeds=_crons, opened=direct(_second), words=CRON_WORDS, weight=30,
    ),
    Target(
        name="rrule", about="an rrule text and its zone; its runs and its words",
        seeds=_rrules, opened=direct(_rrule), words=RRULE_WORDS, weight=4,
    ),
    Target(
        name="schedule", about="a schedule of any kind from JSON: every, crontab, at, solar",
        seeds=_seeds((
            '{"every": "5m", "phase": "7s"}', '{"every": {"minutes": 5}, "spread": true}',
            '{"every": "3d", "start": "0001-01-01"}', '{"at": "2027-01-01T09:00:00+08:00"}',
            '{"crontab": {"minute": 0, "hour": "*/3", "day_of_week": "fri-mon"}}',
            '{"crontab": {"minute": [0, 30], "day_of_month": "31", "month_of_year": "2,4"}}',
            '{"solar": {"event": "sunset", "lat": 31.2, "lon": 121.5}}', '{"every": 1e-6}',
            '{"solar": {"event": "dawn_astronomical", "lat": 89.9, "lon": -180}}',
        )),
        opened=direct(_every), weight=2,
        words=("every", "crontab", "at", "solar", "cron", "rrule", "phase", "spread", "start", "minute", "hour", "day_of_week", "day_of_month", "month_of_year", "event", "lat", "lon", "90", "-90", "180"),
    ),
    Target(
        name="duration", about="a duration as text, number or mapping",
        seeds=_seeds((*DURATIONS, *values("every"), *values("jitter"))), opened=direct(_duration),
        words=("w", "d", "h", "m", "s", "ms", "us", "µs", "hours", "minutes", "days", ".", ","),
    ),
    Target(
        name="moment", about="a moment or a length back, as of --at, --until and --since",
        seeds=_seeds((*MOMENTS, *(f"{text}\n{zone}" for text in MOMENTS[:6] for zone in ZONES))),
        opened=direct(_moment), words=("T", "Z", "+08:00", "-23:59", ".999999", "W", *ZONES),
    ),
)  # fmt: skip
