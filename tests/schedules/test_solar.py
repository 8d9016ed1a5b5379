"""Sun events, beside celery's own computation."""

import sys
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("ephem")

from celery.schedules import solar as celerys_solar

from beatd.errors import MissingExtra
from beatd.schedules import solar
from beatd.schedules.solar import EVENTS, events_of
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


def test_an_event_at_midnight_belongs_to_the_day_that_begins():
    day = 20_500
    assert events_of("sunset", 31.2, -93.138, day - 1) == ()
    assert events_of("sunset", 31.2, -93.138, day) == (day * 86400,)


def test_an_event_is_found_from_the_second_before_it_and_not_at_it():
    sunset = solar("sunset", 31.2, 121.5)
    run = sunset.next_after(datetime(2026, 5, 1, tzinfo=UTC))
    for before in (timedelta(seconds=1), timedelta(microseconds=1)):
        assert sunset.next_after(run - before) == run
    assert run < sunset.next_after(run)


def test_without_its_library_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ephem", None)
    said = r"^an extra library is needed for solar schedules: pip install 'beatd\[solar\]'$"
    with pytest.raises(MissingExtra, match=said):
        solar("sunset", 31.2, 121.5)
    events_of.cache_clear()
    with pytest.raises(MissingExtra, match=said):
        events_of("sunset", 31.2, 121.5, 20_500)
