"""Sun events, beside celery's own computation."""

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("ephem")

from celery.schedules import solar as celerys_solar

from beatd.schedules import solar
from beatd.schedules.solar import EVENTS
from tests.schedules.wall_clock import runs_after

NEAR = timedelta(seconds=1)
PLACES = [(31.2, 121.5), (52.5, 13.4), (-33.9, 18.4), (0.0, -180.0), (78.2, 15.6), (-77.8, 166.7)]


def celerys(event, lat, lon, moment):
    schedule = celerys_solar(event, lat, lon)
    import ephem

    return (
        schedule._next_event(ephem.Date(moment.replace(tzinfo=None))).datetime().replace(tzinfo=UTC)
    )


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("lat", "lon"), PLACES)
def test_an_event_is_where_celery_finds_it(event, lat, lon):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(12):
        expected = celerys(event, lat, lon, moment)
        assert abs(solar(event, lat, lon).next_after(moment) - expected) <= NEAR
        moment = expected + timedelta(days=29, hours=5)


def test_the_answer_is_the_same_whichever_moment_before_it_is_asked_from():
    sunset = solar("sunset", 31.2, 121.5)
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    run = sunset.next_after(moment)
    while moment < run:
        assert sunset.next_after(moment) == run
        moment += timedelta(minutes=7)


def test_a_year_has_a_sunset_a_day():
    runs = []
    for run in runs_after(solar("sunset", 31.2, 121.5), datetime(2026, 1, 1, tzinfo=UTC)):
        if run.year > 2026:
            break
        runs.append(run)
    assert len(runs) == 365
    assert all(run.microsecond == 0 for run in runs)


def test_the_polar_night_has_no_sunrise():
    sunrise = solar("sunrise", 78.2, 15.6)
    last = sunrise.next_after(datetime(2026, 10, 20, tzinfo=UTC))
    while (following := sunrise.next_after(last)) - last < timedelta(days=2):
        last = following
    assert (last.month, following.month) == (10, 2)
