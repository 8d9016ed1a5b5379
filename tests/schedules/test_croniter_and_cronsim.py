"""Cron texts beside croniter and cronsim, wherever they mean the same by the same text."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytz
from croniter import croniter
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from beatd.errors import ScheduleError
from beatd.schedules import crontab

# Only zones whose gap is at a full hour that is not midnight; the oracle has the others. cronsim
# loses half an hour of a wildcard job in Lord Howe's fold, and the rest of the hour after Chatham's
# gap (`* 3 * * *`: 03:45 to 03:59); at midnight it answers with a time that does not exist.
ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Australia/Sydney")
LAST_YEAR = 2037  # in which pytz lists changes of clocks; cronsim goes by zoneinfo, which has all
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def words(low, high, *extra):
    number = st.integers(low, high)
    span = st.tuples(number, number).map(sorted)
    return st.one_of(
        st.just("*"),
        st.integers(2, high).map(lambda n: f"*/{n}"),
        number.map(str),
        st.lists(number, min_size=2, max_size=4).map(lambda n: ",".join(map(str, n))),
        span.filter(lambda s: s[0] < s[1]).map(lambda s: f"{s[0]}-{s[1]}"),
        st.tuples(span, st.integers(1, 5))
        .filter(lambda s: s[0][0] < s[0][1])
        .map(lambda s: f"{s[0][0]}-{s[0][1]}/{s[1]}"),
        *(st.just(word) for word in extra),
    )


# Where both days are restricted, croniter wants an nth weekday to match besides; so not together.
DAYS = st.one_of(
    st.tuples(words(1, 31), words(1, 12), words(0, 6)),
    st.tuples(st.sampled_from(["L", "15W", "31W"]), words(1, 12), st.just("*")),
    st.tuples(st.just("*"), words(1, 12), st.sampled_from(["5#2", "0#5", "L5", "L0"])),
)
TEXTS = st.tuples(words(0, 59), words(0, 23), DAYS).map(lambda t: " ".join((t[0], t[1], *t[2])))


@given(TEXTS, MOMENTS)
@settings(max_examples=400, deadline=None, database=None)
def test_croniter_agrees_in_utc(text, moment):
    try:
        ours = crontab(text)
    except ScheduleError:
        return
    fields = text.split()
    either = fields[2][0] != "*" and fields[4][0] != "*"
    theirs = croniter(text, moment, day_or=either, max_years_between_matches=50)
    for _ in range(3):
        moment = ours.next_after(moment)
        assert moment == theirs.get_next(datetime)


@given(TEXTS, MOMENTS, st.integers(0, 59))
@settings(max_examples=100, deadline=None, database=None)
def test_croniter_agrees_with_seconds(text, moment, second):
    try:
        ours = crontab(f"{second} {text}")
    except ScheduleError:
        return
    fields = text.split()
    either = fields[2][0] != "*" and fields[4][0] != "*"
    theirs = croniter(
        f"{second} {text}", moment, day_or=either, second_at_beginning=True,
        max_years_between_matches=50,
    )  # fmt: skip
    assert ours.next_after(moment) == theirs.get_next(datetime)


@given(st.tuples(words(0, 59), words(0, 4), words(1, 31), words(1, 12), words(0, 6)).map(" ".join),
       st.sampled_from(ZONES), st.data())  # fmt: skip
@settings(max_examples=400, deadline=None, database=None)
def test_cronsim_agrees_in_the_nights_when_clocks_change(text, tz, data):
    try:
        ours = crontab(text, tz=tz)
    except ScheduleError:
        return
    night = data.draw(st.sampled_from([
        time.replace(tzinfo=UTC)
        for time in pytz.timezone(tz)._utc_transition_times
        if 2000 <= time.year < 2037
    ]))  # fmt: skip
    # Asked from within the second pass of a fold cronsim answers with a moment of the first.
    before = data.draw(st.integers(4 * 3600, 86400))
    start = datetime.fromtimestamp(night.timestamp() - before, UTC)
    theirs = CronSim(text, start.astimezone(ZoneInfo(tz)))
    moment = start
    for _ in range(3):
        moment = ours.next_after(moment)
        expected = next(theirs).astimezone(UTC)
        if expected.year > LAST_YEAR:
            return
        assert moment == expected
