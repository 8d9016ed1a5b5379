"""Every step of every clock that pytz knows, 2000 to 2037, with a fixed and a wildcard job."""

from datetime import UTC, datetime, timedelta

import pytz

from beatd.schedules import clock_change, crontab

MINUTE = timedelta(minutes=1)
MARGIN = timedelta(hours=3)
FIRST, LAST = datetime(2000, 1, 1), datetime(2038, 1, 1)  # noqa: DTZ001


def transitions():
    """(zone, UTC moment, what the wall showed just before, what it shows from then on)."""
    seen = set()
    for tz in pytz.all_timezones:
        zone = pytz.timezone(tz)
        times = getattr(zone, "_utc_transition_times", ())
        infos = getattr(zone, "_transition_info", ())
        for time, before, after in zip(times[1:], infos, infos[1:], strict=False):
            step = (time, before[0], after[0])
            if FIRST <= time < LAST and before[0] != after[0] and step not in seen:
                seen.add(step)  # an alias of another zone steps with it
                yield tz, time.replace(tzinfo=UTC), time + before[0], time + after[0]


def minutes(begin, end):
    while begin <= end:
        yield begin
        begin += MINUTE


def chain(schedule, begin, end):
    while (begin := schedule.next_after(begin)) is not None and begin <= end:
        yield begin


def test_a_fixed_job_runs_once_whatever_the_clock_does():
    checked = 0
    for tz, moment, before, after in transitions():
        middle = min(before, after) + abs(after - before) / 2
        job = crontab(f"{middle.minute} {middle.hour} * * *", tz=tz)
        runs = list(chain(job, moment - MARGIN, moment + MARGIN))
        if after > before:
            # Where a whole day is gone, the runs of its neighbours are near as well.
            alone = after - before < timedelta(hours=20)
            assert runs == [moment] if alone else moment in runs, (tz, moment)
            assert clock_change(job, moment).startswith("moved: ")
        else:
            first = moment - (before - middle)
            assert runs == [first], (tz, moment)
            assert clock_change(job, first) == "first of two"
        checked += 1
    assert checked > 1500


def test_a_wildcard_job_follows_elapsed_time():
    margin = MARGIN / 2
    for tz, moment, *_ in transitions():
        zone = pytz.timezone(tz)
        job = crontab("*/15 * * * *", tz=tz)
        begin, end = moment - margin, moment + margin
        quarters = [at for at in minutes(begin, end) if at.astimezone(zone).minute % 15 == 0]
        assert list(chain(job, begin - MINUTE, end)) == quarters, (tz, moment)
