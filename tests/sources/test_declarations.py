"""What a daemon declares, from the files to the store."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from beatd.catalog import Change, Query, Stored
from beatd.config import load_config
from beatd.definition import codec, entry_from
from beatd.edits import editing
from beatd.errors import Deposed, StoreError
from beatd.sources import Reading
from beatd.sources.declarations import Declarations
from beatd.sources.file_watch import SETTLED_AFTER_S
from beatd.sources.files import Files
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock


class Daemon:
    """Its files, its clock and its Declarations."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        (folder / "s").mkdir(exist_ok=True)
        (folder / "config.yaml").write_text('broker: {url: "memory://"}\nschedules: [s/]\n')

    def start(self) -> "Daemon":
        config = load_config(self.folder / "config.yaml").config
        self.declaring = Declarations([Files(config, self.clock)], clock=self.clock)
        return self

    def declare(self, *names: str) -> None:
        lines = "".join(f"  {name}: {{task: t, every: 1m}}\n" for name in names)
        (self.folder / "s/a.yaml").write_text(f"entries:\n{lines}")

    def declare_once(self, at: datetime, written: datetime) -> None:
        file = self.folder / "s/once.yaml"
        file.write_text(f"entries:\n  once: {{task: t, at: '{at.isoformat()}'}}\n")
        os.utime(file, (written.timestamp(), written.timestamp()))

    def look(self, store: MemoryStore, leading: bool = True) -> bool:
        """As its loop does, until what changed has settled."""
        self.clock.advance(seconds=1)
        changed = self.declaring(store, int(leading))
        self.clock.advance(seconds=1)
        return self.declaring(store, int(leading)) or changed


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
    editing.add(store, mine, daemon.clock.now)
    daemon.look(store)
    (line,) = daemon.declaring.conflicts()
    assert line.startswith("s/a.yaml:2: entry 'a' is held by cli; it was left alone")
    editing.remove(store, ["a"])
    assert daemon.look(store)
    assert daemon.declaring.conflicts() == []
    assert editing.row_of(store, "a").entry.source == "yaml:config"


def test_a_conflict_between_two_files_names_both_to_the_line(
    daemon: Daemon, store: MemoryStore
) -> None:
    other = daemon.folder / "other.yaml"
    other.write_text(
        'name: other\nbroker: {url: "memory://"}\nentries:\n  b: {task: u, every: 1h}\n'
    )
    sources = [Files(load_config(daemon.folder / name).config, daemon.clock) for name in
               ("config.yaml", "other.yaml")]  # fmt: skip
    daemon.declaring = Declarations(sources, clock=daemon.clock)
    daemon.look(store)
    (line,) = daemon.declaring.conflicts()
    assert line.startswith("other.yaml:4: entry 'b' is held by yaml:config (s/a.yaml:3); ")


def test_an_invalid_file_is_told_and_changes_nothing(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    (daemon.folder / "s/a.yaml").write_text("entries: {a: {task: t")
    assert not daemon.look(store)
    assert names(store) == ["a", "b"]
    assert "is not YAML" in daemon.declaring.conflicts()[0]


def test_an_invalid_file_does_not_bring_back_what_a_deleted_one_declared(
    daemon: Daemon, store: MemoryStore
) -> None:
    ghost = daemon.folder / "s/g.yaml"
    ghost.write_text("entries:\n  ghost: {task: t, every: 1m}\n")
    daemon.look(store)
    ghost.unlink()
    daemon.look(store)
    ghost.write_text("entries: [")
    daemon.look(store)
    assert names(store) == ["a", "b"]


def test_an_entry_that_was_taken_by_hand_is_a_conflict_until_it_is_let_go_of(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    taken = entry_from("a", {"task": "mine", "every": "7s"})
    editing.put(store, taken, daemon.clock.now, force=True)
    assert not daemon.look(store)
    (line,) = daemon.declaring.conflicts()
    assert line.startswith("s/a.yaml:2: entry 'a' is held by cli")
    editing.remove(store, ["a"])
    assert daemon.look(store)
    assert daemon.declaring.conflicts() == []
    assert editing.row_of(store, "a").entry.source == "yaml:config"


def test_an_entry_that_was_removed_by_force_returns(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    editing.remove(store, ["a"], force=True)
    assert daemon.look(store)
    assert names(store) == ["a", "b"]
    assert not daemon.look(store)


class Looks(MemoryStore):
    """Remembers what was asked of it."""

    asked: list[Query]

    def find(self, query: Query) -> Iterator[Stored]:
        self.asked.append(query)
        return super().find(query)


def test_edits_of_others_cost_a_look_at_the_names_in_conflict_alone(daemon: Daemon) -> None:
    store = Looks(codec=codec, clock=daemon.clock)
    store.asked = []
    editing.add(store, entry_from("a", {"task": "mine", "every": "1h"}), daemon.clock.now)
    daemon.look(store)
    daemon.look(store)
    store.asked.clear()
    editing.add(store, entry_from("z", {"task": "mine", "every": "1h"}), daemon.clock.now)
    store.asked.clear()
    daemon.look(store)
    assert store.asked == [Query(names=("a",))]


def test_the_log_names_what_was_applied(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "beatd")
    daemon.look(store)
    daemon.declare("a", *"defghij")
    daemon.look(store)
    assert [message for message in caplog.messages if "applied" in message] == [
        "yaml:config applied: 2 added (a, b), 0 changed, 0 removed",
        "yaml:config applied: 7 added (d, e, f, g, h and 2 more), 0 changed, 1 removed (b)",
    ]


@pytest.mark.parametrize("leading", [True, False])
@pytest.mark.parametrize("file", ["s/a.yaml", "config.yaml"])
def test_a_file_that_was_mended_is_told(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture, leading: bool, file: str
) -> None:
    caplog.set_level("INFO", "beatd")
    path = daemon.folder / file
    text = path.read_text()
    path.write_text("entries: [")
    daemon.look(store, leading)
    assert not [message for message in caplog.messages if "again" in message]
    path.write_text(text)
    daemon.look(store, leading)
    daemon.look(store, leading)
    assert [message for message in caplog.messages if "again" in message] == [
        f"{path} is valid again"
    ]


def test_a_wrong_file_that_was_deleted_is_not_called_valid(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "beatd")
    wrong = daemon.folder / "s/b.yaml"
    wrong.write_text("entries: [")
    daemon.look(store)
    wrong.unlink()
    daemon.look(store)
    assert not [message for message in caplog.messages if "again" in message]


# One-offs whose moment passes before their file is read


def due(store: MemoryStore) -> datetime | None:
    return editing.row_of(store, "once").plan.due


def past(store: MemoryStore) -> list[str]:
    return [record.reason for record in store.history("once", None)]


def test_a_one_off_counts_from_when_its_file_was_written(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.look(store)
    now = daemon.clock.now()
    daemon.clock.advance(seconds=0.5)
    daemon.declare_once(now + timedelta(seconds=0.4), written=now + timedelta(seconds=0.3))
    daemon.look(store)
    assert due(store) == now + timedelta(seconds=0.4)

    late = daemon.clock.now()
    daemon.clock.advance(seconds=0.5)
    daemon.declare_once(late + timedelta(seconds=0.2), written=late + timedelta(seconds=0.3))
    daemon.look(store)
    assert due(store) is None
    assert "past when edited" in past(store)
    assert "1 one-off was past when it was first seen and will not run" in caplog.text


def test_a_copied_file_that_keeps_an_old_time_fires_no_past_moment(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    now = daemon.clock.now()
    hour = timedelta(hours=1)
    daemon.declare_once(now - hour, written=now - 2 * hour)
    daemon.look(store)
    assert (due(store), past(store)) == (None, ["past when added"])


def test_a_one_off_written_while_no_daemon_ran_is_late(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    daemon.clock.advance(seconds=3600)
    now = daemon.clock.now()
    daemon.declare_once(now - timedelta(seconds=60), written=now - timedelta(seconds=90))
    daemon.start().look(store)
    assert due(store) == now - timedelta(seconds=60)


def test_a_one_off_that_ran_does_not_come_back_with_its_file(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    now = daemon.clock.now()
    daemon.declare_once(now + timedelta(seconds=60), written=now)
    daemon.look(store)
    daemon.clock.advance(seconds=3600)
    # By hand, from an entry that a file declares: it is declared anew at once.
    editing.remove(store, ["once"], force=True)
    daemon.look(store)
    assert due(store) is None
    empty = MemoryStore(codec=codec, clock=daemon.clock)
    daemon.look(empty)
    assert due(empty) is None
    wiped = MemoryStore(codec=codec, clock=daemon.clock)
    daemon.start().look(wiped)
    assert due(wiped) is None


def test_what_a_standby_read_counts_from_its_edit_when_it_leads(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    daemon.start()
    daemon.look(store, leading=False)
    now = daemon.clock.now()
    daemon.declare_once(now + timedelta(seconds=5), written=now)
    daemon.look(store, leading=False)
    daemon.declare("b", "c")
    daemon.clock.advance(seconds=10)
    daemon.look(store)
    assert due(store) == now + timedelta(seconds=5)


# at the start of a term


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
    said = "yaml:config: what s/other.yaml declared waits until the file is right"
    assert said in daemon.declaring.conflicts()
    assert caplog.messages.count(said) == 1
    other.write_text("entries:\n  c: {task: t, every: 2m}\n")
    daemon.look(store)
    assert (waiting(daemon, store), daemon.declaring.conflicts()) == ([], [])


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
