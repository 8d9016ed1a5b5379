"""Entries declared in a Celery app, whichever way."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.beat import BeatLazyFunc, ScheduleEntry
from celery.schedules import BaseSchedule, crontab, schedule, solar
from kombu import Queue
from msgspec.structs import replace

from beatd.entry import Entry
from beatd.sources import Reading
from beatd.sources.app import CLEANUP, App
from tests.fake_clock import FakeClock

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def app() -> Iterator[Celery]:
    made = Celery("proj", broker="memory://", set_as_current=False)
    made.conf.timezone = "Europe/Berlin"
    made.conf.result_expires = None
    yield made
    made.close()


def read(app: Celery, **more: Any) -> Reading:
    app.finalize()
    return App(app, shown="proj:app", name="config", clock=FakeClock(), **more).read()


def entries(app: Celery, **more: Any) -> dict[str, Entry]:
    reading = read(app, **more)
    assert not [problem for problem in reading.problems if not problem.warning]
    return {entry.name: entry for entry in reading.declared.entries}


def one(app: Celery, when: Any, **more: Any) -> Entry:
    app.conf.beat_schedule = {"x": {"task": "t", "schedule": when, **more}}
    return entries(app)["x"]


def problem(app: Celery, written: Any) -> str:
    app.conf.beat_schedule = {"x": written, "good": {"task": "t", "schedule": 30}}
    reading = read(app)
    assert [entry.name for entry in reading.declared.entries] == ["good"]
    assert reading.declared.unread == {"x"}
    (found,) = [str(found) for found in reading.problems if not found.warning]
    assert found.startswith("proj:app: beat_schedule.x")
    return found


def test_an_entry_of_the_app_may_have_a_rule_about_overlap(app: Celery) -> None:
    entry = one(app, 30, overlap="skip", max_run=timedelta(hours=2))
    assert (entry.overlap, entry.max_run) == ("skip", timedelta(hours=2))
    assert one(app, 30).overlap == "allow"
    written = {"task": "t", "schedule": 30, "overlap": "skip"}
    assert "beat_schedule.x.overlap: skip needs max_run" in problem(app, written)


# schedules


@pytest.mark.parametrize(
    ("when", "plain"),
    [
        (30, {"every": "30s"}),
        (0.5, {"every": "0.5s"}),
        (7.0, {"every": "7s"}),
        (timedelta(minutes=5), {"every": "5m"}),
        (schedule(90), {"every": "1m30s"}),
        (schedule(timedelta(days=1), relative=True), {"cron": "0 0 * * *"}),
        (crontab(), {"crontab": {"minute": "*"}}),
        (crontab(minute=0, hour="*/3"), {"crontab": {"minute": 0, "hour": "*/3"}}),
        (crontab(minute={30, 0}), {"crontab": {"minute": [0, 30]}}),
        (
            crontab(0, 0, day_of_week="fri", day_of_month="13"),
            {"crontab": {"minute": 0, "hour": 0, "day_of_week": "fri", "day_of_month": "13"}},
        ),
    ],
)
def test_every_kind_of_schedule_is_taken(app: Celery, when: Any, plain: Any) -> None:
    entry = one(app, when)
    assert entry.schedule.plain() == plain
    assert entry.tz == "Europe/Berlin"
    assert (entry.source, entry.declared_at) == ("app:config", "proj:app")


def test_a_crontab_means_what_celery_means(app: Celery) -> None:
    entry = one(app, crontab(minute=0, hour=0, day_of_week="fri", day_of_month="13"))
    found = entry.schedule.next_after(datetime(2026, 1, 1, tzinfo=UTC))
    assert found == datetime(2026, 2, 12, 23, tzinfo=UTC)  # Friday the 13th, Berlin's midnight


def test_a_relative_interval_begins_at_a_midnight_of_the_zone(app: Celery) -> None:
    entry = one(app, timedelta(hours=12), relative=True)
    found = entry.schedule.next_after(datetime(2026, 1, 1, 1, tzinfo=UTC))
    assert found == datetime(2026, 1, 1, 11, tzinfo=UTC)


def test_a_solar_event_is_taken(app: Celery) -> None:
    pytest.importorskip("ephem")
    entry = one(app, solar("sunset", 31.2, 121.5))
    assert entry.schedule.plain() == {"solar": {"event": "sunset", "lat": 31.2, "lon": 121.5}}


def test_a_schedule_may_have_a_zone_of_its_own(app: Celery) -> None:
    ny = ZoneInfo("America/New_York")
    assert one(app, crontab(hour=3, nowfun=lambda: datetime.now(ny))).tz == "America/New_York"
    own = crontab(hour=3)
    own.tz = ZoneInfo("Asia/Tokyo")
    assert one(app, own).tz == "Asia/Tokyo"


def test_the_zone_of_the_config_wins_where_it_names_one(app: Celery) -> None:
    app.conf.beat_schedule = {"x": {"task": "t", "schedule": crontab()}}
    assert entries(app, timezone="Asia/Tokyo")["x"].tz == "Asia/Tokyo"


# the ways to declare


def test_add_periodic_task_before_and_after_configuration() -> None:
    app = Celery("proj", broker="memory://", set_as_current=False)

    @app.task(name="proj.add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.on_after_configure.connect(weak=False)
    def configured(sender: Celery, **_: Any) -> None:
        sender.add_periodic_task(20, add.s(3, y=4), name="configured", expires=5)

    @app.on_after_finalize.connect(weak=False)
    def finalized(sender: Celery, **_: Any) -> None:
        sender.add_periodic_task(crontab(), add.si(5, 6))

    app.add_periodic_task(10, add.s(1, 2), name="early", queue="q")

    found = entries(app)
    app.close()
    assert set(found) - {CLEANUP} == {"early", "configured", "proj.add(5, 6)"}
    assert (found["early"].args, dict(found["early"].options)) == ((1, 2), {"queue": "q"})
    assert (found["configured"].kwargs, found["configured"].options["expires"]) == ({"y": 4}, 5)


@pytest.mark.parametrize(
    ("settings", "namespace"),
    [
        ({"beat_schedule": {"x": {"task": "t", "schedule": 30}}}, None),
        ({"CELERYBEAT_SCHEDULE": {"x": {"task": "t", "schedule": 30}}}, None),
        ({"CELERY_BEAT_SCHEDULE": {"x": {"task": "t", "schedule": 30}}}, "CELERY"),
    ],
)
def test_every_spelling_of_the_setting_is_read(settings: Any, namespace: str | None) -> None:
    app = Celery("proj", broker="memory://", set_as_current=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # celery warns of its own old names
        app.config_from_object(settings, namespace=namespace)
        reading = read(app)
    app.close()
    assert "x" in {entry.name for entry in reading.declared.entries}


def test_celerys_own_clean_up_comes_where_the_backend_needs_it() -> None:
    app = Celery("proj", broker="memory://", backend="db+sqlite://", set_as_current=False)
    entry = entries(app)["celery.backend_cleanup"]
    assert entry.task == "celery.backend_cleanup"
    assert entry.options == {"expires": 43200}
    app.conf.result_expires = None
    assert "celery.backend_cleanup" not in entries(app)
    app.close()


def test_a_task_added_later_is_noticed(app: Celery) -> None:
    app.finalize()
    source = App(app, shown="proj:app", name="config", clock=FakeClock())
    source.read()
    assert not source.changed()
    app.add_periodic_task(10, app.signature("t"), name="late")
    assert source.changed()
    source.read()
    assert not source.changed()


class Clocked(BaseSchedule):  # type: ignore[misc]
    """As django-celery-beat has it."""

    clocked_time = MOMENT


def test_a_one_off_added_later_counts_from_the_look_before(app: Celery) -> None:
    app.finalize()
    clock = FakeClock()
    source = App(app, shown="proj:app", name="config", clock=clock)
    source.read()
    clock.advance(seconds=1)
    assert not source.changed()
    looked = clock.now()
    clock.advance(seconds=1)
    app.add_periodic_task(10, app.signature("t"), name="often")
    app.conf.beat_schedule["once"] = {"task": "t", "schedule": Clocked()}
    assert source.changed()
    assert source.read().declared.made == {"once": looked}
    assert source.read().declared.made == {}


def test_an_entry_of_celerys_class_is_taken_as_celery_takes_it(app: Celery) -> None:
    made = {"task": "t", "schedule": crontab(hour=3), "args": (1,), "options": {"queue": "q"}}
    app.conf.beat_schedule = {"x": ScheduleEntry(name="other", app=app, **made), "y": made}
    found = entries(app)
    assert replace(found["x"], name="y") == found["y"]


# what cannot be expressed is told, and the others carry on


def test_what_json_cannot_carry_is_told(app: Celery) -> None:
    assert "set" in problem(app, {"task": "t", "schedule": 1, "args": ({1},)})
    assert "timedelta" in problem(
        app, {"task": "t", "schedule": 1, "kwargs": {"a": timedelta(seconds=1)}}
    )
    assert problem(app, {"task": "t", "schedule": 1, "args": BeatLazyFunc(print)})


class Own(BaseSchedule):
    pass


class Odd(crontab):
    def is_due(self, last_run_at: datetime) -> Any:
        return super().is_due(last_run_at)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"task": "t"}, "schedule: is missing"),
        ({"task": "t", "schedule": "5m"}, "is a str"),
        ({"task": "t", "schedule": True}, "is a bool"),
        ({"task": "t", "schedule": Own()}, "an Own is not one that beatd knows"),
        ({"task": "t", "schedule": Odd()}, "Odd decides by its own is_due"),
        ({"schedule": 30}, "task: is missing"),
        ({"task": "t", "schedule": 30, "quue": 1}, "is not a key of an entry"),
        (["t", 30], "a list is not an entry"),
        ({"task": "t", "schedule": 0}, "every"),
        ({"task": "t", "schedule": 30, "options": {"queue": Queue("strange")}}, "is an object"),
    ],
)
def test_an_entry_that_cannot_be_expressed_is_told(app: Celery, written: Any, said: str) -> None:
    assert said in problem(app, written)


def test_arguments_are_kept_as_json_has_them(app: Celery) -> None:
    entry = one(app, 30, args=(1, (2, 3)), kwargs={"a": (4,)})
    assert (entry.args, entry.kwargs) == ((1, [2, 3]), {"a": [4]})


def test_dates_and_their_like_are_kept(app: Celery) -> None:
    price, day = Decimal("1.50"), MOMENT.date()
    entry = one(app, 30, args=(MOMENT, (day, price)), options={"headers": {"at": MOMENT}})
    assert entry.args == (MOMENT, [day, price]) and entry.options == {"headers": {"at": MOMENT}}


def test_an_expiry_may_be_a_datetime(app: Celery) -> None:
    entry = one(app, 30, options={"expires": MOMENT})
    assert entry.options == {"expires": "2026-01-01T00:00:00+00:00"}
    entry = one(app, 30, options={"eta": MOMENT.replace(tzinfo=None)})
    assert entry.options == {"eta": "2025-12-31T23:00:00+00:00"}, "in the app's zone"


def test_a_queue_that_the_app_knows_is_its_name(app: Celery) -> None:
    app.conf.task_queues = [Queue("fast")]
    assert one(app, 30, options={"queue": Queue("fast")}).options == {"queue": "fast"}


def test_what_beat_keeps_in_an_entry_is_left_out_with_a_warning(app: Celery) -> None:
    app.conf.beat_schedule = {"x": {"task": "t", "schedule": 30, "total_run_count": 3}}
    reading = read(app)
    assert [str(problem) for problem in reading.problems] == [
        "proj:app: beat_schedule.x.total_run_count: is the daemon's to know and is ignored"
    ]
    assert [entry.name for entry in reading.declared.entries] == ["x"]
