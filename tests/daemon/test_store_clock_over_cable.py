"""A daemon's clock, set by a real store over a cable that is slow one way or the other."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from beatd.clock import SystemClock
from beatd.daemon.store_clock import StoreClock
from beatd.store import Store
from tests.cable import Cable
from tests.stores.places import mariadb, opened, postgresql, redis

SLOW_S = 0.05


class Far:
    """A store at the far end of a cable, and another way to its clock."""

    def __init__(self, store: Store, cable: Cable, near: Store) -> None:
        self.store, self.cable, self.near = store, cable, near
        self.clock = SystemClock()
        self._store_clock = StoreClock(self.clock)

    def set_clock(self) -> None:
        self._store_clock.set_from(self.store)

    def behind(self) -> float:
        """Seconds that the daemon's clock is behind at least; the store is read after it."""
        shown, there = self.clock.now(), self.near.now()
        assert there is not None
        return (there.moment - shown).total_seconds()


@pytest.fixture(params=[postgresql, mariadb, redis], ids=lambda place: place.__name__)
def far(request: pytest.FixtureRequest, tmp_path: Path, server: Any) -> Iterator[Far]:
    cables: list[Cable] = []

    def through_cable(kind: str) -> tuple[str, int]:
        cables.append(Cable(*server(kind)))
        return "127.0.0.1", cables[-1].port

    with ExitStack() as places:
        store = places.enter_context(opened(request.param, tmp_path, through_cable))()
        near = places.enter_context(opened(request.param, tmp_path, server))()
        yield Far(store, cables[0], near)
        cables[0].there = cables[0].back = 0.0


def test_a_slow_first_question_sets_no_clock_ahead(far: Far) -> None:
    far.cable.there = SLOW_S
    far.set_clock()
    assert far.behind() >= 0


def test_a_slow_first_answer_makes_late_by_its_length(far: Far) -> None:
    far.cable.back = SLOW_S
    far.set_clock()
    assert far.behind() >= SLOW_S
    far.cable.back = 0.0
    far.set_clock()
    assert far.behind() >= 0


def test_the_same_server_is_told_by_every_reply(far: Far) -> None:
    first, second = far.store.now(), far.near.now()
    assert first is not None and second is not None
    assert first.server == second.server
    assert first.moment < second.moment
