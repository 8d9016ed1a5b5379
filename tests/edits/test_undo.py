"""An undo of a change restores the entry as it was."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.changes import DEFINITION_BYTES_MAX, Author, ChangeRecord
from beatd.definition import codec, entry_from
from beatd.edits.editing import add, patch, put, remove, row_of, rows
from beatd.edits.patch import patch_of, with_cli_as_owner
from beatd.edits.pausing import PAUSE_ENDED, end_pauses, pause, resume
from beatd.edits.undo import Undone, check_undo, undo
from beatd.entry import Entry
from beatd.errors import BeatError, ConfigError, Conflict
from beatd.marks import AppliedSet
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock

ANN, BOB = Author("ann@host-1"), Author("bob@host-2", "page", "a mistake")
FILE = {"source": "yaml:config", "declared_at": "jobs.yaml:3"}
SEEDS = 60


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2026-03-01T00:00:10+00:00")


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(codec=codec, clock=clock)


def entry(source: str = "cli", declared_at: str = "", **fields: Any) -> Entry:
    plain = {"task": "t", "every": "1m", **fields}
    return entry_from("a", plain, source=source, declared_at=declared_at)


def state(store: MemoryStore) -> tuple[Any, ...] | None:
    """All of an entry that a change may change; None if there is no entry."""
    row = rows(store, ["a"]).get("a")
    if row is None:
        return None
    until = None if row.pause is None else row.pause.until
    return codec.encode(row.entry), row.entry.source, row.entry.declared_at, row.paused, until


def newest(store: MemoryStore) -> ChangeRecord:
    return store.changes("a", 1)[0]


Undo = Callable[..., Undone]


@pytest.fixture
def undone(store: MemoryStore, clock: FakeClock) -> Undo:
    """undone(id) undoes a change, by default the newest."""

    def call(id: str = "", **more: Any) -> Undone:
        return undo(store, store, id or newest(store).id, clock.now, BOB, codec, **more)

    return call


def some_change(dice: random.Random, store: MemoryStore, clock: FakeClock) -> None:
    """Make any change that the entry allows; it may change nothing."""
    row = rows(store, ["a"]).get("a")
    if row is None:
        add(store, entry(), clock.now, ANN)
        return
    until = clock.now() + timedelta(days=400, hours=dice.randrange(9))
    fields: dict[str, Any] = dice.choice(
        [
            {"every": f"{dice.randrange(1, 9)}m"},
            {"cron": f"{dice.randrange(59)} 3 * * *", "tz": "Europe/Berlin"},
            {"args": [dice.randrange(3), {"x": None}]},
            {"kwargs": {"at": clock.now()}},
            {"options.queue": dice.choice("pq"), "options.priority": dice.randrange(9)},
            {"enabled": dice.random() < 0.5},
            {"max_runs": dice.randrange(1, 9)},
        ]
    )
    acts: list[Callable[[], object]] = [
        lambda: patch(store, "a", patch_of(fields), clock.now, ANN),
        lambda: put(store, entry(**{"task": dice.choice("tu")}), clock.now, ANN, force=True),
        lambda: pause(store, ["a"], clock.now, ANN, until=until),
        lambda: pause(store, ["a"], clock.now, ANN),
        lambda: resume(store, ["a"], clock.now, ANN),
        lambda: remove(store, ["a"], ANN),
    ]
    dice.choice(acts)()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_an_undo_of_any_change_restores_the_entry_exactly(
    store: MemoryStore, clock: FakeClock, undone: Undo, seed: int
) -> None:
    dice, states, ids = random.Random(seed), [state(store)], [""]
    while len(ids) < 20:
        some_change(dice, store, clock)
        clock.advance(seconds=dice.randrange(1, 600))
        if newest(store).id != ids[-1]:
            ids.append(newest(store).id)
            states.append(state(store))
    for id, before, after in zip(ids[:0:-1], states[-2::-1], states[:0:-1], strict=True):
        assert state(store) == after
        done = undone(id, force=True)
        assert state(store) == before
        assert (done.after is None) == (before is None)
        record = newest(store)
        assert record.author == replace(BOB, note=f"undo of {id}: a mistake")
        undone(record.id)  # an undo can be undone
        assert state(store) == after
        undone(id, force=True)


def test_changes_can_be_undone_one_after_the_other(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(), clock.now, ANN)
    for every in ("2m", "3m"):
        patch(store, "a", patch_of({"every": every}), clock.now, ANN)
    third, second, _ = store.changes("a", 9)
    with pytest.raises(Conflict, match=rf"changed again since, by ann@host-1 \(change {third.id}"):
        undone(second.id)
    undone(third.id)
    done = undone(second.id)
    assert row_of(store, "a").entry == entry() == done.after.entry  # type: ignore[union-attr]
    assert done.before is not None and done.before.entry == entry(every="2m")


def test_a_forced_undo_restores_only_what_the_change_changed(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(), clock.now, ANN)
    pause(store, ["a"], clock.now, ANN)
    paused = newest(store).id
    patch(store, "a", patch_of({"every": "5m"}), clock.now, ANN)
    edited = newest(store).id
    undone(paused, force=True)
    assert (row_of(store, "a").paused, row_of(store, "a").entry) == (False, entry(every="5m"))
    pause(store, ["a"], clock.now, ANN)
    undone(edited, force=True)
    assert (row_of(store, "a").paused, row_of(store, "a").entry) == (True, entry())


def test_no_past_moment_runs_because_of_an_undo(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(), clock.now, ANN)
    remove(store, ["a"], ANN)
    clock.advance(hours=5)
    done = undone()
    assert done.after is not None and done.after.plan.due is not None
    assert clock.now() < done.after.plan.due <= clock.now() + timedelta(minutes=1)


def test_a_removed_entry_that_was_paused_is_never_due(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(), clock.now, ANN)
    pause(store, ["a"], clock.now, ANN)
    remove(store, ["a"], ANN)
    undone()
    row = row_of(store, "a")
    assert row.paused and row.plan.due is None
    assert row.pause is not None
    assert (row.pause.by, row.pause.note) == (BOB.name, "undo of 3: a mistake")
    assert [one.action for one in store.changes("a", 9)][:2] == ["added", "removed"]


def test_a_pause_that_would_have_ended_is_not_restored(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(), clock.now, ANN)
    pause(store, ["a"], clock.now, ANN, until=clock.now() + timedelta(hours=1))
    clock.advance(hours=2)
    assert end_pauses(store, store, clock.now()) == ["a"]
    assert newest(store).author == PAUSE_ENDED
    with pytest.raises(ConfigError, match="is past"):
        undone()
    assert not row_of(store, "a").paused


def test_an_unknown_change_is_named(store: MemoryStore, undone: Undo) -> None:
    with pytest.raises(BeatError, match="no change '7'; `beatd changes` shows what there is"):
        undone("7")


def test_a_definition_that_was_too_large_to_keep_is_not_restored(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    large = ["x" * DEFINITION_BYTES_MAX]
    add(store, entry(args=large), clock.now, ANN)
    patch(store, "a", patch_of({"args": []}), clock.now, ANN)
    with pytest.raises(BeatError, match=r"before change .* was too large to keep"):
        undone()
    put(store, entry(args=large), clock.now, ANN)
    undone()  # the one before is kept
    assert row_of(store, "a").entry == entry(args=[])
    put(store, entry(args=large), clock.now, ANN)
    put(store, entry(args=large, every="2m"), clock.now, ANN)  # neither is kept
    with pytest.raises(BeatError, match="too large"):
        undone()
    pause(store, ["a"], clock.now, ANN)
    undone()  # it needs no definition
    assert not row_of(store, "a").paused and row_of(store, "a").entry.args == tuple(large)


def test_an_edit_of_what_a_file_declares_is_undone_there(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(**FILE), clock.now, Author("yaml:config", "file"))
    with pytest.raises(Conflict, match=r"declared in jobs.yaml:3 .* was not removed"):
        undone()
    put(store, entry(every="2m", **FILE), clock.now, Author("yaml:config", "file"))
    with pytest.raises(Conflict, match=r"declared in jobs.yaml:3 .* was not restored"):
        undone()
    undone(force=True)
    assert row_of(store, "a").entry == entry()  # the store owns it
    undone()
    assert row_of(store, "a").entry == entry(every="2m", **FILE)


def test_what_a_file_does_not_declare_any_more_is_not_restored(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    add(store, entry(**FILE), clock.now, Author("yaml:config", "file"))
    remove(store, ["a"], Author("yaml:config", "file"), force=True)
    with pytest.raises(Conflict, match=r"because jobs.yaml:3 does not declare it any more"):
        undone()
    undone(force=True)
    assert row_of(store, "a").entry == entry()


def test_a_file_that_gets_its_entry_back_compares_it(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    store.marks.write_applied("yaml:config", AppliedSet(clock.now(), "digest"))
    add(store, entry(**FILE), clock.now, Author("yaml:config", "file"))
    edit = with_cli_as_owner(patch_of({"every": "2m"}))
    patch(store, "a", edit, clock.now, ANN, force=True)
    seen = store.marks.takeover("yaml:config")
    undone()
    assert row_of(store, "a").entry == entry(**FILE)
    assert store.marks.takeover("yaml:config") not in ("", seen)


def test_an_undo_during_a_run_is_made_again(
    store: MemoryStore, clock: FakeClock, undone: Undo, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, entry(), clock.now, ANN)
    patch(store, "a", patch_of({"every": "2m"}), clock.now, ANN)
    write, refused = store.write, list[bool]()

    def once_refused(changes: Any) -> Any:
        monkeypatch.setattr(store, "write", write)
        refused.append(True)
        return [False]

    monkeypatch.setattr(store, "write", once_refused)
    undone()
    assert refused and row_of(store, "a").entry == entry()


def test_an_edit_that_comes_between_refuses_the_undo(
    store: MemoryStore, clock: FakeClock, undone: Undo, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, entry(), clock.now, ANN)
    patch(store, "a", patch_of({"every": "2m"}), clock.now, ANN)
    write, id = store.write, newest(store).id

    def late(changes: Any) -> Any:
        monkeypatch.setattr(store, "write", write)
        patch(store, "a", patch_of({"every": "3m"}), clock.now, ANN)
        return write(changes)

    monkeypatch.setattr(store, "write", late)
    with pytest.raises(Conflict, match="changed by somebody else since you read it"):
        undone(id)
    assert row_of(store, "a").entry == entry(every="3m")


def test_an_undo_without_a_note_names_the_change_all_the_same(
    store: MemoryStore, clock: FakeClock
) -> None:
    add(store, entry(), clock.now, ANN)
    undo(store, store, newest(store).id, clock.now, ANN, codec)
    assert newest(store).author.note == "undo of 1"


def test_a_check_refuses_what_the_undo_refuses_and_changes_nothing(
    store: MemoryStore, clock: FakeClock, undone: Undo
) -> None:
    def refused(id: str = "") -> str:
        before = state(store)
        with pytest.raises(BeatError) as checked:
            check_undo(store, store, id or newest(store).id, clock.now, codec)
        with pytest.raises(BeatError) as tried:
            undone(id)
        assert state(store) == before
        assert (str(checked.value), checked.type) == (str(tried.value), tried.type)
        return str(checked.value)

    add(store, entry(**FILE), clock.now, Author("yaml:config", "file"))
    assert "is declared in jobs.yaml:3" in refused()
    remove(store, ["a"], Author("yaml:config", "file"), force=True)
    assert "does not declare it any more" in refused()
    add(store, entry(), clock.now, ANN)
    pause(store, ["a"], clock.now, ANN, until=clock.now() + timedelta(hours=1))
    assert "changed again since" in refused("3") and "no change '9'" in refused("9")
    check_undo(store, store, newest(store).id, clock.now, codec)
    assert row_of(store, "a").paused
    clock.advance(hours=2)
    end_pauses(store, store, clock.now())
    assert "is past" in refused()
