"""What celery's code puts into a scheduler's schedule is what beatd declares, and nothing else."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from celery.beat import ScheduleEntry
from celery.schedules import crontab

from beatd.catalog import Query
from beatd.celery.beat_schedule_sync import BeatScheduleSync
from beatd.celery.scheduler import BeatdScheduler
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.wiring import backends
from tests.celery_app import app_of

TICKS = 40


def test_its_schedule_is_celerys_dict_of_entries() -> None:
    app = app_of(beat_schedule={
        "tidy": {"task": "t", "schedule": crontab(hour=3), "args": (1,)},
        "odd": {"task": "t", "schedule": "every day"},
        "ours": {"task": "t", "schedule": 30, "catch_up": "all"},
    })  # fmt: skip
    written = dict(app.conf.beat_schedule)
    scheduler = BeatdScheduler(app)
    tidy = scheduler.schedule["tidy"]
    assert isinstance(tidy, ScheduleEntry)
    assert (tidy.name, tidy.args, tidy.schedule) == ("tidy", (1,), crontab(hour=3))
    # What celery's class cannot hold stays as it was written, and is told by the daemon.
    assert {name: scheduler.schedule[name] for name in ("odd", "ours")} == {
        name: written[name] for name in ("odd", "ours")
    }
    assert app.conf.beat_schedule == written


def ticked(scheduler: BeatdScheduler, there: Callable[[set[str]], bool]) -> set[str]:
    """Entries in the store once it is so; each tick waits for up to a second."""
    clock = SystemClock()
    for _ in range(TICKS):
        scheduler.tick()
        with closing(
            backends.open_store(scheduler.config.store.url, codec=codec, clock=clock)
        ) as it:
            names = {row.entry.name for row in it.find(Query())}
        if there(names):
            return names
    raise AssertionError(names)


def test_what_is_put_into_its_schedule_runs_and_what_is_taken_out_does_not(
    tmp_path: Path,
) -> None:
    app = app_of(
        result_expires=None,
        beatd_store_url=f"sqlite:///{tmp_path}/s.db",
        beat_schedule={
            name: {"task": "t", "schedule": 3600} for name in ("stays", "goes", "forgotten")
        },
    )
    scheduler = BeatdScheduler(app)
    try:
        scheduler.add(name="late", task="t", schedule=5.0)
        scheduler.update_from_dict({"later": {"task": "t", "schedule": 6.0}})
        del scheduler.schedule["goes"]
        found = ticked(scheduler, lambda names: "late" in names)
        assert found == {"stays", "forgotten", "late", "later"}
        app.add_periodic_task(7.0, app.signature("t"), name="told to the app")
        del app.conf.beat_schedule["forgotten"]
        found = ticked(scheduler, lambda names: "told to the app" in names)
        assert found == {"stays", "late", "later", "told to the app"} == set(scheduler.schedule)
    finally:
        scheduler.close()


def test_what_is_put_there_while_the_two_are_compared_is_not_lost() -> None:
    entries: dict[str, Any] = {}
    declared: dict[str, Any] = {"late": {"task": "t"}}

    def entry_of(name: str, written: Any) -> Any:
        entries["meanwhile"] = {"task": "m"}  # by another thread
        return written

    sync = BeatScheduleSync(entry_of)
    sync.update(entries, declared)
    sync.update(entries, declared)
    assert set(declared) == set(entries) == {"late", "meanwhile"}
