"""Campaigns beside thousands of other tests in one process."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _others_are_not_collected() -> Iterator[None]:
    """A campaign collects garbage before it measures its memory. In a process that has loaded all
    tests, to look through what they made takes longer than most campaigns of tests."""
    gc.freeze()
    yield
    gc.unfreeze()
