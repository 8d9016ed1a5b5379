"""Changes made by hand."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.changes import Author
from beatd.definition import codec, entry_from
from beatd.edits import editing, entry_change, pausing, run_requests
from beatd.edits.patch import patch_of
from beatd.entry import Entry
from beatd.errors import BeatError, ConfigError, Conflict, UnknownEntry
from beatd.run import Occurrence, task_id
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2026-03-01T00:00:10+00:00")


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(codec=codec, clock=clock)


def entry(name: str = "a", **more: Any) -> Entry:
    about = {key: more.pop(key) for key in ("source", "declared_at") if key in more}
    return entry_from(name, {"task": "t", "every": "1m", **more}, **about)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_taken_name_is_refused_with_its_owner(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(source="yaml:config", declared_at="x.yaml"), clock.now)
    with pytest.raises(Conflict, match=r"'a' is there already: declared in x.yaml \("):
        editing.add(store, entry(), clock.now)


def test_put_replaces_and_keeps_the_pause(store: MemoryStore, clock: FakeClock) -> None:
    editing.put(store, entry(), clock.now)
    pausing.pause(store, ["a"], clock.now, Author("ann"))
    row = editing.put(store, entry(every="5m"), clock.now)
    assert row.paused and row.plan.due is None


def test_edits_of_different_fields_both_stay(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(options={"queue": "q"}), clock.now)
    write, raced = store.write, []

    def late(changes: Any) -> Any:
        if not raced:
            raced.append(True)
            editing.patch(store, "a", patch_of({"options.priority": 3}), clock.now)
        return write(changes)

    store.write = late  # type: ignore[method-assign]
    editing.patch(store, "a", patch_of({"args": [1]}, ["options.queue"]), clock.now)
    changed = editing.row_of(store, "a").entry
    assert (changed.args, dict(changed.options)) == ((1,), {"priority": 3})


def test_an_edit_that_changes_nothing_writes_nothing(store: MemoryStore, clock: FakeClock) -> None:
    before = editing.add(store, entry(), clock.now)
    after = editing.patch(store, "a", patch_of({"every": "60s"}), clock.now)
    assert after.revision == before.revision


def test_only_an_edit_of_when_moves_the_plan(store: MemoryStore, clock: FakeClock) -> None:
    before = editing.add(store, entry(), clock.now)
    clock.advance(seconds=300)
    row = editing.patch(store, "a", patch_of({"args": [1]}), clock.now)
    assert row.plan == before.plan
    row = editing.patch(store, "a", patch_of({"cron": "0 3 * * *"}), clock.now)
    assert row.plan.planned == at("2026-03-01T03:00:00Z")
    assert row.entry.schedule.plain() == {"cron": "0 3 * * *"}


def test_more_runs_revive_a_finished_entry(store: MemoryStore, clock: FakeClock) -> None:
    row = editing.add(store, entry(max_runs=1), clock.now)
    finished = replace(row, runs=1)
    edited = replace(row.entry, max_runs=2)
    plan = entry_change.replanned(finished, edited, clock.now(), paused=False)
    assert plan is not None and plan.planned is not None
    assert entry_change.replanned(finished, row.entry, clock.now(), paused=False) is None


def test_what_a_file_declares_is_changed_there(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(source="yaml:config", declared_at="s/a.yaml"), clock.now)
    for act in (
        lambda: editing.patch(store, "a", patch_of({"args": [1]}), clock.now),
        lambda: editing.remove(store, ["a"]),
        lambda: editing.put(store, entry(), clock.now),
    ):
        with pytest.raises(Conflict, match=r"declared in s/a.yaml"):
            act()
    assert pausing.pause(store, ["a"], clock.now, Author("ann")) == ["a"]
    editing.remove(store, ["a"], force=True)


def test_an_entry_removed_by_another_at_once_was_added_all_the_same(
    store: MemoryStore, clock: FakeClock
) -> None:
    write = store.write

    def raced(changes: Any) -> Any:
        done = write(changes)
        write([entry_change.removed(row, None) for row in editing.rows(store, ["a"]).values()])
        return done

    store.write = raced  # type: ignore[method-assign]
    row = editing.add(store, entry(), clock.now)
    assert row.entry == entry() and row.plan.planned is not None
    assert editing.put(store, entry(args=[1]), clock.now).entry.args == (1,)


def test_removing_is_all_or_nothing(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(), clock.now)
    with pytest.raises(UnknownEntry):
        editing.remove(store, ["a", "nope"])
    editing.remove(store, ["a", "a"])
    with pytest.raises(UnknownEntry):
        editing.row_of(store, "a")


def test_an_unknown_name_is_answered_with_the_nearest(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry("nightly-report"), clock.now)
    with pytest.raises(UnknownEntry, match="did you mean 'nightly-report'"):
        editing.row_of(store, "nightly-repot")
    with pytest.raises(UnknownEntry, match="beatd list"):
        editing.row_of(store, "*")


def test_resuming_counts_from_now(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(), clock.now)
    assert pausing.pause(store, ["a"], clock.now, Author("ann")) == ["a"]
    assert pausing.pause(store, ["a"], clock.now, Author("ann")) == []
    assert editing.row_of(store, "a").plan.due is None
    clock.advance(hours=5)
    assert pausing.resume(store, ["a"], clock.now, Author("ann")) == ["a"]
    planned = editing.row_of(store, "a").plan.planned
    assert planned == at("2026-03-01T05:01:00Z")


def passed_over(store: MemoryStore) -> list[tuple[str, str, str | None, int]]:
    return [
        (one.reason, f"{one.planned:%H:%M}", one.until and f"{one.until:%H:%M}", one.count)
        for one in store.history("a", None)
    ]


def test_what_a_pause_held_back_is_in_the_history(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(), clock.now)
    pausing.pause(store, ["a"], clock.now, Author("ann"))
    clock.advance(seconds=20)
    pausing.resume(store, ["a"], clock.now, Author("ann"))
    assert passed_over(store) == []  # no moment came by
    pausing.pause(store, ["a"], clock.now, Author("ann"))
    clock.advance(hours=5)
    pausing.resume(store, ["a"], clock.now, Author("ann"))
    assert passed_over(store) == [("paused", "00:01", "05:00", 300)]
    clock.advance(seconds=50)
    pausing.pause(store, ["a"], clock.now, Author("ann"))  # with one that is due
    clock.advance(seconds=20)
    pausing.resume(store, ["a"], clock.now, Author("ann"))
    assert passed_over(store)[0] == ("paused", "05:01", None, 1)


def test_an_edit_of_when_tells_what_it_passed_over(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(), clock.now)
    editing.patch(store, "a", patch_of({"every": "2m"}), clock.now)
    assert passed_over(store) == []
    clock.advance(minutes=5)  # nobody leads
    editing.patch(store, "a", patch_of({"every": "1h"}), clock.now)
    assert passed_over(store) == [("edited", "00:02", "00:04", 2)]
    pausing.pause(store, ["a"], clock.now, Author("ann"))
    clock.advance(hours=2)
    editing.patch(store, "a", patch_of({"every": "10h"}), clock.now)
    assert passed_over(store)[0] == ("paused", "01:00", "02:00", 2)
    pausing.resume(store, ["a"], clock.now, Author("ann"))
    assert len(passed_over(store)) == 2


def test_what_was_disabled_is_told_when_it_is_enabled(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(enabled=False, end="2026-03-01T00:03:00Z"), clock.now)
    clock.advance(days=400)  # long past its end, which is no long walk
    editing.patch(store, "a", patch_of({"enabled": True}), clock.now)
    assert passed_over(store) == [("disabled", "00:01", "00:03", 3)]
    assert editing.row_of(store, "a").plan.planned is None


def test_trigger_asks_for_a_run_and_tells_its_id(store: MemoryStore, clock: FakeClock) -> None:
    row = editing.add(store, entry(), clock.now)
    told = run_requests.trigger(store, "a", clock.now())
    ((request, _),) = store.requests(10)
    assert told == task_id(store.namespace, Occurrence("a", request.first, request.id))
    assert (request.kind, request.first, request.last) == ("trigger", clock.now(), clock.now())
    assert editing.row_of(store, "a").plan == row.plan


def test_backfill_asks_for_every_moment_between(store: MemoryStore, clock: FakeClock) -> None:
    editing.add(store, entry(every="1h"), clock.now)
    asked = run_requests.backfill(
        store, "a", at("2026-02-01T00:00:00Z"), at("2026-02-01T05:30:00Z"), clock.now()
    )
    first, last, count = asked.planned, asked.until, asked.count
    assert (first, last, count) == (at("2026-02-01T00:00:00Z"), at("2026-02-01T05:00:00Z"), 6)
    ((request, _),) = store.requests(10)
    assert (request.kind, request.first, request.last) == ("backfill", first, last)


def test_backfill_of_no_moment_and_of_the_future_is_refused(
    store: MemoryStore, clock: FakeClock
) -> None:
    editing.add(store, entry(every="1h"), clock.now)
    with pytest.raises(BeatError, match="no moment"):
        early = at("2026-02-01T00:10:00Z")
        run_requests.backfill(store, "a", early, early + timedelta(minutes=5), clock.now())
    with pytest.raises(ConfigError, match="in the future"):
        run_requests.backfill(store, "a", early, clock.now() + timedelta(days=1), clock.now())
    assert not store.requests(10)
