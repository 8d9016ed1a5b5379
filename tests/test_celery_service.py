"""What celery's own tests ask of celery.beat.Service and EmbeddedService, asked of beatd's class.

Of t/unit/app/test_beat.py in celery, these apply to any scheduler class: the tests of Service
(pickled, started, stopped, ended by a tick that exits), of EmbeddedService as a thread, and of
Scheduler its info, its lazy construction, `add`, `update_from_dict` and `close`.

Not applicable, and why: the tests of ScheduleEntry (celery's class, unchanged); of `tick`,
`is_due`, `reserve`, `apply_async`, `apply_entry`, `send_task`, `populate_heap`, `schedules_equal`
and `_ensure_connected` (how celery's scheduler decides and sends: the engine does that here); of
`should_sync` and `sync` (nothing is ever unsaved); of PersistentScheduler (only read).
"""

import pickle
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.beat import EmbeddedService, Service

from beatd.celery import BeatdScheduler


@pytest.fixture
def app(tmp_path: Path) -> Celery:
    made = Celery("proj", broker="memory://", set_as_current=False)
    made.conf.update(
        beatd_store_url=f"sqlite:///{tmp_path}/store.db",
        beat_schedule_filename=str(tmp_path / "file"),
        beat_schedule={"a": {"task": "t", "schedule": 3600}},
    )
    return made


def service(app: Celery, scheduler: Any = "beatd") -> Service:
    return Service(app, scheduler_cls=scheduler)


def test_a_service_can_be_pickled_to_a_child_process(app: Celery) -> None:
    # `worker -B` where processes are spawned; the app unpickles by its own ways.
    again = pickle.loads(pickle.dumps(service(app)))
    assert again.scheduler_cls == "beatd"


def test_a_service_starts_and_stops(app: Celery) -> None:
    found = service(app)
    assert isinstance(found.scheduler, BeatdScheduler)
    assert set(found.scheduler.schedule) == {"a"}
    found.sync()
    assert found._is_stopped.is_set()
    found.sync()
    found.stop(wait=False)
    assert found._is_shutdown.is_set()
    found.stop(wait=True)


@pytest.mark.parametrize("embedded", [False, True])
def test_a_service_that_is_shut_down_already_opens_nothing(
    app: Celery, tmp_path: Path, embedded: bool
) -> None:
    found = service(app)
    found._is_shutdown.set()
    found.start(embedded_process=embedded)
    assert found._is_stopped.is_set()
    assert not (tmp_path / "store.db").exists()


class Exits(BeatdScheduler):
    def tick(self, *args: Any, **kwargs: Any) -> float:
        super().tick()
        raise SystemExit


def test_a_tick_that_exits_ends_the_service_in_order(app: Celery) -> None:
    found = service(app, Exits)
    found.start()
    assert found._is_shutdown.is_set()
    assert found._is_stopped.is_set()


class OneTick(BeatdScheduler):
    service: Service
    turned = 0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        self.service._is_shutdown.set()
        self.turned += 1
        return super().tick()


def test_one_tick_is_made_before_a_shutdown(app: Celery) -> None:
    found = service(app, OneTick)
    found.scheduler.service = found
    found.start()
    assert found.scheduler.turned == 1


def test_embedded_as_a_thread_it_runs_and_stops(app: Celery) -> None:
    found = EmbeddedService(app, thread=True, scheduler_cls="beatd")
    assert found.service.max_interval == 1
    found.start()
    assert found.service.scheduler.info
    found.stop()
    found.join(10)
    assert not found.is_alive()
