"""celery.beat.Service and EmbeddedService on beatd's class, ticking for real.

What celery's own tests ask of them, with a mock for a tick: tests/peers/celery.
"""

from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.beat import EmbeddedService, Service

from beatd.celery.scheduler import BeatdScheduler
from tests.celery_app import app_of


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
    found.join(100)
    assert not found.is_alive()


def test_what_service_asks_of_any_scheduler_class(app: Celery) -> None:
    found = service(app)
    assert isinstance(found.get_scheduler(lazy=True), BeatdScheduler)
    assert found.scheduler.tick() == 0.0
    found.scheduler._do_sync()
    found.sync()
    found.sync()
    assert found._is_stopped.is_set()


def test_a_lazy_scheduler_touches_nothing(tmp_path: Path) -> None:
    scheduler = BeatdScheduler(
        app_of(), schedule_filename=str(tmp_path / "s"), max_interval=None, lazy=True, extra=1
    )
    assert f"shelve:{tmp_path}/s.beatd" in scheduler.info
    scheduler.close()
    scheduler.close()
    assert not list(tmp_path.iterdir())


def test_the_banner_shows_no_password() -> None:
    app = app_of(beatd_store_url="postgresql://joe:secret@db/x")
    assert "secret" not in BeatdScheduler(app, lazy=True).info
