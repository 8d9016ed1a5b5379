"""What a daemon declares, from the files to the store."""

from pathlib import Path

import pytest

from beatd import editing
from beatd.catalog import Query
from beatd.config import load_config
from beatd.declaring import Declaring
from beatd.definition import codec, entry_from
from beatd.sources.files import Files
from beatd.stores.memory import MemoryStore
from tests.fake_clock import FakeClock


class Daemon:
    """Its files, its clock and its Declaring."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        (folder / "s").mkdir(exist_ok=True)
        (folder / "config.yaml").write_text('broker: {url: "memory://"}\nschedules: [s/]\n')

    def start(self) -> "Daemon":
        config = load_config(self.folder / "config.yaml").config
        self.declaring = Declaring([Files(config, self.clock)], clock=self.clock)
        return self

    def declare(self, *names: str) -> None:
        lines = "".join(f"  {name}: {{task: t, every: 1m}}\n" for name in names)
        (self.folder / "s/a.yaml").write_text(f"entries:\n{lines}")

    def look(self, store: MemoryStore, leading: bool = True) -> bool:
        """As its loop does, until what changed has settled."""
        self.clock.advance(seconds=1)
        changed = self.declaring(store, leading)
        self.clock.advance(seconds=1)
        return self.declaring(store, leading) or changed


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    daemon = Daemon(tmp_path)
    daemon.declare("a", "b")
    return daemon.start()


@pytest.fixture
def store(daemon: Daemon) -> MemoryStore:
    return MemoryStore(codec=codec, clock=daemon.clock)


def names(store: MemoryStore) -> list[str]:
    return [row.entry.name for row in store.find(Query())]


def test_only_the_leader_applies(daemon: Daemon, store: MemoryStore) -> None:
    assert not daemon.look(store, leading=False)
    assert names(store) == []
    assert daemon.look(store)
    assert names(store) == ["a", "b"]
    assert not daemon.look(store)


def test_an_edited_file_is_applied(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    daemon.declare("b", "c")
    assert daemon.look(store)
    assert names(store) == ["b", "c"]


def test_an_old_host_that_takes_over_prunes_nothing(
    daemon: Daemon, store: MemoryStore, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    old = Daemon(tmp_path / "old")
    old.clock = daemon.clock
    old.declare("a")
    old.start().look(store, leading=False)
    daemon.clock.advance(seconds=60)
    daemon.declare("a", "new")
    daemon.start().look(store)
    assert not old.look(store)
    assert names(store) == ["a", "new"]


def test_a_store_that_came_back_empty_gets_it_again(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    empty = MemoryStore(codec=codec, clock=daemon.clock)
    assert daemon.look(empty)
    assert names(empty) == ["a", "b"]


def test_a_name_that_another_let_go_of_is_taken(daemon: Daemon, store: MemoryStore) -> None:
    mine = entry_from("a", {"task": "mine", "every": "1h"})
    editing.add(store, mine, daemon.clock.now())
    daemon.look(store)
    assert "entry 'a' is held by cli" in daemon.declaring.conflicts()[0]
    editing.remove(store, ["a"])
    assert daemon.look(store)
    assert daemon.declaring.conflicts() == []
    assert editing.row_of(store, "a").entry.source == "yaml:config"


def test_an_invalid_file_is_told_and_changes_nothing(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    (daemon.folder / "s/a.yaml").write_text("entries: {a: {task: t")
    assert not daemon.look(store)
    assert names(store) == ["a", "b"]
    assert "is not YAML" in daemon.declaring.conflicts()[0]
