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
    """Return the original's function that makes a mock scheduler, whose shelf records the calls."""
    mocked = original.create_persistent_scheduler

    def create_persistent_scheduler(shelv: Any = None) -> tuple[type[BeatdScheduler], Any]:
        mock, shelf = mocked(shelv)

        class Recording(mock):  # type: ignore[misc, valid-type]
            _store = shelf

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

        return Recording, shelf

    return create_persistent_scheduler
