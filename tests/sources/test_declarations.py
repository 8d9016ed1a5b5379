"""What a daemon declares, from the files to the store."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from beatd.catalog import Query, Stored
from beatd.config import load_config
from beatd.definition import codec, entry_from
from beatd.edits import editing
from beatd.sources.declarations import Declarations
from beatd.sources.files import Files
from beatd.sources.second_looks import SECOND_LOOK_AFTER_S
from beatd.stores.embedded.memory import MemoryStore
from tests.sources.declaring import Daemon, names


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


def test_a_store_that_went_back_in_time_gets_it_again(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    copy = deepcopy(store._tables)
    daemon.declare("b", "c")
    daemon.look(store)
    store._tables = copy
    assert names(store) == ["a", "b"]
    daemon.declaring(store, 1)
    assert names(store) == ["b", "c"]


def test_a_set_that_another_daemon_applied_later_stays(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    applied = store.marks.applied("yaml:config")
    assert applied is not None
    newer = replace(applied, loaded_at=daemon.clock.now() + timedelta(minutes=1), digest="new")
    store.marks.write_applied("yaml:config", newer)
    assert not daemon.look(store)
    assert store.marks.applied("yaml:config") == newer


def test_settings_that_need_a_reload_are_known_on_a_standby_too(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store, leading=False)
    assert daemon.declaring.needs_reload() == ()
    file = daemon.folder / "config.yaml"
    file.write_text(file.read_text() + "log: {level: debug}\n")
    daemon.look(store, leading=False)
    assert daemon.declaring.needs_reload() == ("log",)


def test_a_name_that_another_let_go_of_is_taken(daemon: Daemon, store: MemoryStore) -> None:
    mine = entry_from("a", {"task": "mine", "every": "1h"})
    editing.add(store, mine, daemon.clock.now)
    daemon.look(store)
    (line,) = daemon.declaring.conflicts()
    assert line.startswith(
        "s/a.yaml:2: entry 'a' is not applied: cli owns an entry of this name; rename"
    )
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
    assert line.startswith("other.yaml:4: entry 'b' is not applied: yaml:config (s/a.yaml:3) owns ")


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
    assert line.startswith("s/a.yaml:2: entry 'a' is not applied: cli")
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
    daemon.clock.advance(seconds=SECOND_LOOK_AFTER_S)
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


def test_a_warning_about_an_entry_is_logged_once_until_it_changes(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    def declare(*lines: str) -> list[str]:
        caplog.clear()
        (daemon.folder / "s/a.yaml").write_text("\n  ".join(("entries:", *lines)) + "\n")
        daemon.look(store)
        return [record.message.partition("s/a.yaml")[2] for record in caplog.records]

    doubtful = "a: {task: t, every: 1h, args: [yes]}"
    (first,) = declare(doubtful)
    assert first.startswith(":2: entries.a.args[0]: 'yes' is text here")
    assert declare("b: {task: t, every: 1h}", doubtful) == []
    assert declare("b: {task: t, every: 2h}", doubtful.replace("yes", "no")) == [
        first.replace("'yes'", "'no'").replace(":2:", ":3:")
    ]
    assert declare("b: {task: t, every: 1h}") == []
    assert declare(doubtful) == [first]  # it was gone, and is there again
    assert declare("a: {task: t, evry: 1h}") == declare("a: {task: t, evry: 1h}", "# x") != []


def test_a_name_of_another_owner_is_logged_once(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    editing.add(store, entry_from("a", {"task": "mine", "every": "1h"}), daemon.clock.now)
    for declared in (("a", "b"), ("c", "a"), ("a", "d")):
        daemon.declare(*declared)
        daemon.look(store)
    (line,) = [line for line in caplog.messages if "is not applied" in line]
    assert line.startswith("s/a.yaml:2: entry 'a' is not applied: ")


def test_a_wrong_file_that_was_deleted_is_told_once(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "beatd")
    wrong = daemon.folder / "s/b.yaml"
    wrong.write_text("entries: [")
    daemon.look(store)
    wrong.unlink()
    daemon.look(store)
    daemon.declare("a", "c")
    daemon.look(store)
    assert not [message for message in caplog.messages if "again" in message]
    assert [message for message in caplog.messages if "b.yaml" in message][1:] == [
        f"{wrong} is no longer among the entry files; its problem is gone"
    ]


@pytest.mark.parametrize("file", ["s/b.yaml", "config.yaml"])
def test_an_error_is_logged_once_until_its_file_is_edited(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture, file: str
) -> None:
    daemon.look(store)
    wrong = daemon.folder / file
    wrong.write_text("entries: [")
    daemon.look(store)
    daemon.declare("a", "c")
    daemon.look(store)
    assert [line.partition(": ")[0] for line in caplog.messages] == [f"{wrong}:2"]
    wrong.write_text("# still wrong\nentries: [")
    daemon.look(store)
    assert [line.partition(": ")[0] for line in caplog.messages] == [f"{wrong}:2", f"{wrong}:3"]


def test_entries_that_only_move_to_another_file_are_no_line(
    daemon: Daemon, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.look(store)
    caplog.set_level("INFO", "beatd")
    (daemon.folder / "s/a.yaml").rename(daemon.folder / "s/b.yaml")
    assert daemon.look(store)
    assert editing.row_of(store, "a").entry.declared_at == "s/b.yaml"
    assert caplog.messages == []
    assert [one.action for one in store.changes("a", 10)] == ["added"]
