"""Every test of the original runs here, unchanged, except those that inapplicable.py lists."""

import inspect
import re
from typing import Any

import pytest

from tests.peers.celery.inapplicable import INAPPLICABLE, OF_CELERY
from tests.peers.celery.substituted import loaded

original = loaded()


def theirs() -> dict[str, Any]:
    return {name: case for name, case in vars(original).items() if name.startswith("test_")}


def applicable(name: str) -> Any:
    """The original's class; what is None is no test to pytest."""
    return type(name, (theirs()[name],), dict.fromkeys(INAPPLICABLE.get(name, ())))


TestScheduler = applicable("test_Scheduler")
TestSchedulerShutdown = applicable("test_SchedulerShutdown")
TestService = applicable("test_Service")
TestEmbeddedService = applicable("test_EmbeddedService")


def test_every_class_of_the_original_runs_or_is_listed() -> None:
    run = {case.__name__ for name, case in globals().items() if name.startswith("Test")}
    none_left = {
        name
        for name, listed in INAPPLICABLE.items()
        if not {test for test in vars(theirs()[name]) if test.startswith("test_")} - set(listed)
    }
    assert run | none_left | set(OF_CELERY) == set(theirs())
    assert not run & (none_left | set(OF_CELERY))


@pytest.mark.parametrize("name", INAPPLICABLE)
def test_nothing_is_listed_that_the_original_does_not_have(name: str) -> None:
    assert set(INAPPLICABLE[name]) <= set(vars(theirs()[name]))


@pytest.mark.parametrize("name", OF_CELERY)
def test_a_class_that_is_not_run_makes_no_scheduler(name: str) -> None:
    assert not re.search(r"Scheduler\b.*\(", inspect.getsource(theirs()[name]))
