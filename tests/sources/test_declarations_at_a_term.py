"""Declarations at the start of a term: which entries wait, and until when."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from beatd.catalog import Change, Query, Stored
from beatd.config import load_config
from beatd.definition import codec, entry_from
from beatd.edits import editing
from beatd.errors import Deposed, StoreError
from beatd.presence import INVALID_SOURCE
from beatd.sources import Reading
from beatd.sources.declarations import Declarations
from beatd.sources.file_watch import SETTLED_AFTER_S
from beatd.sources.files import Files
from beatd.stores.embedded.memory import MemoryStore
from tests.sources.declaring import Daemon, names


def waiting(daemon: Daemon, store: MemoryStore, term: int = 1) -> list[str]:
    """The names of those in the store that the leader of the term must not run yet."""
    unapplied = daemon.declaring.unapplied(term)
    return [row.entry.name for row in store.find(Query()) if unapplied.waits(row.entry)]


def test_a_new_leader_holds_an_owner_back_until_its_set_is_applied(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    editing.add(store, entry_from("mine", {"task": "t", "every": "1h"}), daemon.clock.now)
    daemon.declare("b")
    daemon.start()
    assert waiting(daemon, store) == ["a", "b"]
    daemon.declaring(store, 0)
    assert waiting(daemon, store) == ["a", "b"]
    released: list[list[str]] = []
    daemon.declaring(store, 1, lambda: released.append(names(store)))
    assert released == [["b", "mine"]]
    assert waiting(daemon, store) == []
    assert waiting(daemon, store, term=2) == ["b"], "another term is another beginning"


class Deaf(MemoryStore):
    """A store whose rows cannot be read; its marks can."""

    deaf = False

    def find(self, query: Query) -> Iterator[Stored]:
        if self.deaf:
            raise StoreError("no answer in time")
        return super().find(query)


def test_what_the_last_leader_declared_too_is_not_compared_before_it_runs(daemon: Daemon) -> None:
    store = Deaf(codec=codec, clock=daemon.clock)
    daemon.look(store)
    editing.add(store, entry_from("mine", {"task": "t", "every": "1h"}), daemon.clock.now)
    daemon.start().declaring(store, 0)
    store.deaf = True
    with pytest.raises(StoreError):
        daemon.declaring(store, 1)
    store.deaf = False
    assert waiting(daemon, store) == []


def test_what_could_not_be_applied_waits_until_it_is(daemon: Daemon) -> None:
    store = Deaf(codec=codec, clock=daemon.clock)
    daemon.look(store)
    daemon.declare("b")
    daemon.start()
    store.deaf = True
    with pytest.raises(StoreError):
        daemon.declaring(store, 1)
    store.deaf = False
    assert waiting(daemon, store) == ["a", "b"]
    assert daemon.declaring.conflicts() == [
        "yaml:config: its entries wait until what it declares is applied"
    ]
    daemon.declaring(store, 1)
    assert (waiting(daemon, store), daemon.declaring.conflicts()) == ([], [])


class Crashes(MemoryStore):
    """Fails at the second batch of changes."""

    writes = 0

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        self.writes += 1
        if self.writes == 2:
            raise StoreError("the connection was lost")
        return super().write(changes)


def test_a_set_of_which_a_half_was_written_is_not_taken_for_the_whole(daemon: Daemon) -> None:
    store = Crashes(codec=codec, clock=daemon.clock)
    daemon.look(store)
    daemon.declare("a", "b", *(f"more{n}" for n in range(editing.ROWS_PER_BATCH + 1)))
    store.writes = 0
    with pytest.raises(StoreError):
        daemon.look(store)
    assert 2 < store.count() < editing.ROWS_PER_BATCH + 3
    daemon.declare("a", "b")
    daemon.start().declaring(store, 0)
    assert len(waiting(daemon, store, term=2)) == store.count()
    seen: list[list[str]] = []
    daemon.declaring(store, 2, lambda: seen.append(names(store)))
    assert seen == [["a", "b"]]


def test_a_file_that_changes_as_the_term_begins_is_read_first(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    daemon.look(store, leading=False)
    daemon.declare("b")
    daemon.declaring(store, 2)
    assert waiting(daemon, store, term=2) == ["a", "b"]
    daemon.clock.advance(seconds=SETTLED_AFTER_S)
    daemon.declaring(store, 2)
    assert names(store) == ["b"]
    assert waiting(daemon, store, term=2) == []


def test_new_entries_hold_nothing_back(daemon: Daemon) -> None:
    store = Crashes(codec=codec, clock=daemon.clock)
    daemon.look(store)
    daemon.declare("b", "c")
    daemon.start()
    store.writes = 0
    with pytest.raises(StoreError):
        daemon.declaring(store, 1)
    assert names(store) == ["b"]
    assert waiting(daemon, store) == []


def test_a_file_that_is_wrong_at_the_start_holds_back_what_it_declared_alone(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    other = daemon.folder / "s/other.yaml"
    other.write_text("entries:\n  c: {task: t, every: 1m}\n")
    daemon.look(store)
    other.write_text("entries: [")
    daemon.start().look(store)
    assert waiting(daemon, store) == ["c"]
    at, waits = f"{other}:2", "the entries of the file wait until it is right"
    assert f"{INVALID_SOURCE}yaml:config: {at}: {waits}" in daemon.declaring.conflicts()
    (line,) = [line for line in caplog.messages if "s/other.yaml" in line]
    assert line.startswith(f"{at}: is not YAML") and line.endswith(f"; {waits}")
    other.write_text("entries:\n  c: {task: t, every: 2m}\n")
    daemon.look(store)
    assert (waiting(daemon, store), daemon.declaring.conflicts()) == ([], [])


def test_a_standby_that_leads_later_says_again_that_entries_wait(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    other = daemon.folder / "s/other.yaml"
    other.write_text("entries: [")
    daemon.start().look(store, leading=False)
    daemon.clock.advance(seconds=3600)
    caplog.clear()
    daemon.look(store)
    waits = "the entries of the file wait until it is right"
    assert caplog.messages == [f"yaml:config: {other}:2: {waits}"]


def test_a_file_that_becomes_wrong_under_a_leader_holds_nothing_back(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    (daemon.folder / "s/a.yaml").write_text("entries: [")
    daemon.look(store)
    assert waiting(daemon, store) == []


class Breaks:
    """A source, or what reads it, with a fault of its own."""

    owner = "app:config"

    def stale(self) -> bool:
        return False

    def changed(self) -> bool:
        return True

    def read(self) -> Reading:
        raise ZeroDivisionError


def test_a_source_that_breaks_holds_back_no_other(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    daemon.declare("b")
    files = Files(load_config(daemon.folder / "config.yaml").config, daemon.clock)
    daemon.declaring = Declarations([Breaks(), files], clock=daemon.clock)
    with pytest.raises(ZeroDivisionError):
        daemon.declaring(store, 1)
    assert names(store) == ["b"]
    assert waiting(daemon, store) == []
    assert daemon.declaring.unapplied(1).owners == {"app:config"}


def test_a_leader_that_loses_the_lead_writes_no_more_and_has_the_next_one_compare(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    daemon.declare("b", *(f"more{n}" for n in range(editing.ROWS_PER_BATCH + 1)))
    late = daemon.start().declaring
    later = iter([True, True, False])
    with pytest.raises(Deposed):
        late(store, 1, lasts=lambda: next(later))
    assert store.count() == editing.ROWS_PER_BATCH + 1, "a batch, and no other"
    daemon.declare("a", "b")
    daemon.start().look(store)
    assert names(store) == ["a", "b"]


def test_what_a_frozen_leader_wrote_late_is_undone_by_the_one_that_leads(
    daemon: Daemon, store: MemoryStore, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    old = Daemon(tmp_path / "old")
    old.clock = daemon.clock
    old.declare("a", "b", "ghost")
    old.start().declaring(store, 0)
    daemon.clock.advance(seconds=1)
    write = store.write

    def freeze(changes: Sequence[Change]) -> Sequence[bool]:
        store.write = write  # type: ignore[method-assign]
        daemon.start().look(store)
        return write(changes)

    store.write = freeze  # type: ignore[method-assign]
    leads = iter([True, False])
    with pytest.raises(Deposed):
        old.declaring(store, 1, lasts=lambda: next(leads))
    assert names(store) == ["a", "b", "ghost"]
    daemon.look(store)
    assert names(store) == ["a", "b"]
