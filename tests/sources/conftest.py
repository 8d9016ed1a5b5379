"""Files that declare two entries, and a store in memory."""

from pathlib import Path

import pytest

from beatd.definition import codec
from beatd.stores.embedded.memory import MemoryStore
from tests.sources.declaring import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    daemon = Daemon(tmp_path)
    daemon.declare("a", "b")
    return daemon.start()


@pytest.fixture
def store(daemon: Daemon) -> MemoryStore:
    return MemoryStore(codec=codec, clock=daemon.clock)
