"""Every store, as the contracts of the stores use them, and daemons with alerts on one."""

from collections.abc import Callable, Iterator

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.store import Store
from beatd.stores.embedded.memory import MemoryStore
from tests.alerts.scene import Scene
from tests.notifiers.receivers import Receiver, receiver
from tests.stores.conftest import emptied, place, place_of, reopen, store

__all__ = ["emptied", "place", "place_of", "reopen", "store"]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture
def everywhere(place: Callable[[], Store], hook: Receiver) -> Iterator[Scene]:
    """A scene on each store."""
    scene = Scene(place, hook)
    yield scene
    scene.close()


@pytest.fixture
def scene(hook: Receiver) -> Iterator[Scene]:
    """A scene on the quickest store."""
    store = MemoryStore(codec=codec, clock=SystemClock())
    scene = Scene(lambda: store, hook)
    yield scene
    scene.close()
