"""What celery's own conftest gives these tests: an app in memory, as `self.app`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery, beat
from celery.contrib.testing.app import TestApp, setup_default_app


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beat.Service, "scheduler_cls", "beatd")
    made = TestApp(set_as_current=False, enable_logging=False)
    with setup_default_app(made, use_trap=True):
        yield made


@pytest.fixture(autouse=True)
def as_attribute(request: pytest.FixtureRequest, app: Celery) -> None:
    if request.instance is not None:
        request.instance.app = app
