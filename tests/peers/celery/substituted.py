"""The original's module, with beatd's class wherever it names one of celery's schedulers."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch

import celery
import pytest
from celery import beat

from beatd.celery.scheduler import BeatdScheduler
from tests.peers.celery import source_distribution

ORIGINAL = "t.unit.app.test_beat"


class PersistentScheduler(BeatdScheduler):
    """A class of its own, since the original tells the two of celery apart."""


def loaded() -> ModuleType:
    """Return the original, imported from where source_distribution.py keeps it."""
    pytest.register_assert_rewrite(ORIGINAL)
    named = ModuleType(beat.__name__)
    vars(named).update(
        vars(beat), Scheduler=BeatdScheduler, PersistentScheduler=PersistentScheduler
    )
    path = [str(source_distribution.folder()), *sys.path]
    with patch.object(celery, "beat", named), patch.object(sys, "path", path):
        original = import_module(ORIGINAL)
    vars(original)["create_persistent_scheduler"] = recording(original)
    return original


def recording(original: ModuleType) -> Any:
    """The original's mock scheduler, whose shelf tells what the scheduler was asked to do."""

    def create_persistent_scheduler(shelv: Any = None) -> tuple[type[BeatdScheduler], Any]:
        shelf = original.MockShelve() if shelv is None else shelv

        class MockPersistentScheduler(PersistentScheduler):
            sh = _store = shelf
            tick_raises_exit = False
            shutdown_service: Any = None

            def setup_schedule(self) -> None:
                super().setup_schedule()
                shelf["entries"] = self.schedule

            def sync(self) -> None:
                super().sync()
                shelf.sync()

            def close(self) -> None:
                try:
                    super().close()
                finally:
                    shelf.close()

            def tick(self, *_: Any, **__: Any) -> float:
                if self.tick_raises_exit:
                    raise SystemExit
                if self.shutdown_service:
                    self.shutdown_service._is_shutdown.set()
                return 0.0

        return MockPersistentScheduler, shelf

    return create_persistent_scheduler
