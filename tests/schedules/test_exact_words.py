"""What a refusal says, word by word: a hint only where there is one to give."""

from collections.abc import Callable
from datetime import UTC, timedelta, timezone, tzinfo

import pytest
import pytz

from beatd.errors import ScheduleError
from beatd.schedules import crontab, interval, parse_duration, parse_moment, zone
from beatd.schedules.zone import zone_name


class Nameless(tzinfo):
    """A zone object of nobody's library."""

    def tzname(self, _: object) -> None:
        return None

    def utcoffset(self, _: object) -> None:
        return None

    def dst(self, _: object) -> None:
        return None


DURATION = "is not a duration; write it like 30s, 5m, 1h30m, 1d or 90 (seconds)"
MOMENT = "is not a moment; write it like 2027-01-01T09:00:00+08:00 (ISO 8601)"
REFUSED: list[tuple[Callable[[], object], str]] = [
    # durations
    (lambda: parse_duration(True), f"True {DURATION}"),
    (lambda: parse_duration(None), f"None {DURATION}"),
    (lambda: parse_duration([30]), f"[30] {DURATION}"),
    (lambda: parse_duration({"minutes": True}), "minutes must be a number, not True"),
    (lambda: parse_duration({"x": 5}), "a duration has no 'x'; it has weeks, days, hours, minutes, "
     "seconds, milliseconds, microseconds"),
    (lambda: parse_duration({"second": 5}), "a duration has no 'second'; did you mean seconds?"),
    # moments: datetime.fromisoformat takes any sign between date and time
    (lambda: parse_moment("2027-01-01é09:00"), f"'2027-01-01é09:00' {MOMENT}"),
    (lambda: parse_moment(None), f"None {MOMENT}"),
    # cron texts
    (lambda: crontab("x * * * *"), "cron 'x * * * *': 'x' is not a minute"),
    (lambda: crontab("* * * jax *"), "cron '* * * jax *': 'jax' is not a month; did you mean jan?"),
    (lambda: crontab("5-0 * * * *"), "cron '5-0 * * * *': 5-0 runs backward; write 5-59,0"),
    (lambda: crontab("50-10/99999999999 * * * *"), "cron '50-10/99999999999 * * * *': 50-10 runs "
     "backward; write 50-59/1000000000,0-10/1000000000"),
    (lambda: crontab("*/٣ * * * *"),
     "cron '*/٣ * * * *': the step of '*/٣' is not a number from 1 on"),
    (lambda: crontab("0 0 xW * *"),
     "cron '0 0 xW * *': 'xw' is not a day of month; write L, LW or 15W"),
    (lambda: crontab("0 0 L-3 * *"),
     "cron '0 0 L-3 * *': 'l-3' is not a day of month; write L, LW or 15W"),
    (lambda: crontab("@every 1 h"), "'@every 1 h' is an interval; write every: 1h"),
    (lambda: crontab("@x"), "'@x' is not a cron text; there are @hourly @daily @midnight @weekly "
     "@monthly @yearly @annually"),
    (lambda: crontab("0 2 * * * 2027"), "cron '0 2 * * * 2027': six fields put the seconds first, "
     "and a year needs seven; write '0 0 2 * * * 2027'"),
    # Celery's fields
    (lambda: crontab(day_of_month=31, month_of_year="4,6"),
     "crontab {day_of_month: 31, month_of_year: 4,6} can never fire: no such day ever comes"),
    (lambda: crontab(day_of_month=31, month_of_year="4," * 60 + "4"),
     "crontab {day_of_month: 31, month_of_year: " + "4," * 33 + "4} can never fire: "
     "no such day ever comes"),
    (lambda: crontab(x=5), "crontab has no 'x'; it has minute, hour, day_of_week, day_of_month, "
     "month_of_year"),
    (lambda: crontab(hour=b"\x05"),
     "crontab hour: b'\\x05' is neither a number, a text nor a list of numbers"),
    (lambda: crontab(hour={5: 1}),
     "crontab hour: {5: 1} is neither a number, a text nor a list of numbers"),
    (lambda: crontab(hour="noon"), "crontab hour: 'noon' is not a number or a name"),
    (lambda: crontab(hour="15W"),
     "crontab hour: '15W' is not a number or a name; that form needs a cron text"),
    # intervals
    (lambda: interval("5m", spread=True),
     "spread is drawn from the entry's name, and there is none; write phase: 7s"),
    # zones
    (lambda: zone("zzzz"), "'zzzz' is not a time zone; write it like Europe/Berlin"),
    (lambda: zone(Nameless()), "'' is not a time zone; write it like Europe/Berlin"),
    (lambda: zone(timezone(timedelta(hours=1))),
     "'UTC+01:00' is not a time zone; name a place instead of an offset, like Asia/Shanghai"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_a_refusal_says_this_and_no_more(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        build()
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("europe/berlin", "Europe/Berlin"),
        (zone("Europe/Berlin"), "Europe/Berlin"),
        (pytz.timezone("Europe/Berlin"), "Europe/Berlin"),
        (pytz.timezone("Etc/GMT-8"), "Etc/GMT-8"),  # it calls itself +08
        (pytz.utc, "UTC"),
        (UTC, "UTC"),
    ],
)
def test_a_zone_object_is_known_by_its_name(given: str | tzinfo, name: str) -> None:
    assert zone_name(given) == name
