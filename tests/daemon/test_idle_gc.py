"""The collector of a daemon waits for idle moments, and not for ever."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from beatd.daemon import idle_gc
from beatd.daemon.idle_gc import IdleGc


@pytest.fixture
def collector() -> Iterator[IdleGc]:
    made = IdleGc()
    made(0.0)
    yield made
    gc.unfreeze()
    gc.enable()


def knots(count: int) -> None:
    for _ in range(count):
        knot: list[object] = []
        knot.append(knot)


def test_what_was_there_at_the_start_is_never_looked_through(collector: IdleGc) -> None:
    assert gc.get_freeze_count() > 0


def test_a_busy_beat_is_not_interrupted(collector: IdleGc) -> None:
    knots(idle_gc.YOUNG_OBJECTS * 2)
    before = gc.get_count()[0]
    collector(0.0)
    assert gc.get_count()[0] >= before


def test_an_idle_one_is_tidied(collector: IdleGc) -> None:
    knots(idle_gc.YOUNG_OBJECTS * 2)
    collector(1.0)
    assert gc.get_count()[0] < idle_gc.YOUNG_OBJECTS


def test_one_that_is_never_idle_is_tidied_all_the_same(
    collector: IdleGc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_gc, "BUSY_YOUNG_OBJECTS", idle_gc.YOUNG_OBJECTS)
    knots(idle_gc.YOUNG_OBJECTS * 2)
    collector(0.0)
    assert gc.get_count()[0] < idle_gc.YOUNG_OBJECTS


class Ended:
    """As large as it likes, and in a knot."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(
    ("free", "after"), [(1.0, "AFTER_RELOAD_S"), (0.0, "AFTER_RELOAD_WHEN_BUSY_S")]
)
def test_a_daemon_that_was_replaced_is_collected_although_it_was_frozen(
    collector: IdleGc, monkeypatch: pytest.MonkeyPatch, free: float, after: str
) -> None:
    ended = Ended()
    gc.freeze()
    left = weakref.ref(ended)
    del ended
    collector.reloaded()
    collector(free)
    assert left() is not None, "a thread of it may run for another second"
    monkeypatch.setattr(idle_gc, after, 0.0)
    collector(free)
    assert left() is None
    assert gc.get_freeze_count() > 0
