"""Which rows are read when, and when to look again, on a store that counts what it is asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.definition import entry_from
from beatd.dispatch import Published
from beatd.engine import lookahead
from beatd.engine.batch_size import BatchSize
from beatd.engine.lookahead import Lookahead, moved_on
from beatd.engine.moves import Mover
from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.events import Event, Unplannable, WentBack
from beatd.leader import Term
from beatd.planning import LAST_MOMENT, first, shared_next_after
from beatd.run import Running
from beatd.unapplied import NOTHING_WAITS, Unapplied
from tests.fake_clock import FakeClock

MICROSECOND = timedelta(microseconds=1)


class CountingStore:
    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.began = clock, clock.now()
        self.rows: dict[str, Stored] = {}
        self.edition = "1"
        self.limits: list[int] = []  # of the reads
        self.versions = 0  # how often the version was asked for
        self.dropped: list[str] = []
        self.running_now: dict[str, Running] = {}
        self.asked_running: list[Sequence[str] | None] = []

    def add(self, name: str, in_s: float, **plain: Any) -> Stored:
        """Add an entry that is due first in `in_s` seconds, and then each hour."""
        source = plain.pop("source", "cli")
        start = (self.clock.now() + timedelta(seconds=in_s)).isoformat()
        fields = {"task": "t", "every": "1h", "start": start, **plain}
        entry = entry_from(name, fields, source=source)
        row = Stored(entry, 1, False, first(entry, self.clock.now()), 0, None)
        self.rows[name] = row
        return row

    def upcoming(self, limit: int) -> Sequence[Stored]:
        self.limits.append(limit)
        due = [row for row in self.rows.values() if row.plan.due is not None]
        return sorted(due, key=lambda row: row.plan.due or LAST_MOMENT)[:limit]

    def version(self) -> str:
        self.versions += 1
        return self.edition

    def drop_cached(self, names: Sequence[str]) -> None:
        self.dropped += names

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        self.asked_running.append(names)
        return {n: run for n, run in self.running_now.items() if names is None or n in names}


class Prepared:
    """Publisher and dispatch: what they were told to prepare and to forget."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.forgotten: list[str] = []
        self.batches: list[list[str]] = []
        self.at: datetime | None = None
        self.first, self.more_history = 2, False

    def prepare(self, what: Sequence[Any], term: Any = None, at: Any = None) -> None:
        if term is None:
            self.runs += [run.entry.name for run in what]
        else:
            self.batches, self.at = [[move.name for move in batch] for batch in what], at

    def forget(self, names: Sequence[str]) -> None:
        self.forgotten += names

    def write_history(self) -> bool:
        return self.more_history


class Setup:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store, self.parts, self.told = CountingStore(self.clock), Prepared(), list[Event]()
        parts: Any = self.parts
        self.look = Lookahead(self.store, self.store, parts, clock=self.clock, emit=self.told.append)  # type: ignore[arg-type] # fmt: skip # noqa: E501
        self.look.forget()
        self.look.moves.begin(Mover(UUID(int=0), shared_next_after()))

    def read(self, waiting: Unapplied = NOTHING_WAITS) -> list[int]:
        """Let it read if it must, and return the limits of the reads that it made now."""
        self.store.limits.clear()
        self.look.read(self.clock.now(), waiting)
        return list(self.store.limits)

    def pop(self, limit: int = 100) -> list[str]:
        return [row.entry.name for row in self.look.pop_due(self.clock.now(), limit)]

    def next_in_s(self) -> float:
        return (self.look.next_look(self.clock.now()) - self.clock.now()).total_seconds()

    def work_ahead(self) -> bool:
        parts: Any = self.parts
        batch = BatchSize(1000, ttl=2.0)
        return self.look.work_ahead(self.clock.now(), Term(1, "x"), parts, batch)


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_what_was_read_counts_for_a_second_less_two_looks_ahead(setup: Setup) -> None:
    setup.store.add("a", 1800)
    assert setup.read() == [16]
    setup.clock.advance(seconds=0.94)
    assert (setup.read(), setup.store.versions) == ([], 0)
    setup.clock.advance(seconds=0.02)
    assert (setup.read(), setup.store.versions) == ([16], 1)  # the first version that it knows
    setup.clock.advance(seconds=0.96)
    assert (setup.read(), setup.store.versions) == ([], 2)
    setup.clock.advance(seconds=0.94)
    assert (setup.read(), setup.store.versions) == ([], 2)
    setup.store.edition = "2"
    assert (setup.read(), setup.store.versions) == ([], 2)
    setup.clock.advance(seconds=0.02)
    assert (setup.read(), setup.store.versions) == ([16], 3)


def test_many_rows_that_are_due_soon_are_all_read(setup: Setup) -> None:
    for n in range(20):
        setup.store.add(f"entry {n}", 2)
    for n in range(100):
        setup.store.add(f"later {n}", 3)
    assert setup.read() == [16, 160]
    setup.look.is_stale = True
    assert setup.read() == [64]  # twice what is due soon, and a power of two
    assert setup.look.is_stale is False


def test_rows_that_are_due_later_need_no_larger_read(setup: Setup) -> None:
    for n in range(20):
        setup.store.add(f"entry {n}", 2.000001)
    assert setup.read() == [16]
    setup.look.is_stale = True
    assert setup.read() == [16]


def test_rows_behind_those_that_were_read_are_read_in_time(setup: Setup) -> None:
    for n in range(17):
        setup.store.add(f"entry {n:02}", 3 + n)
    assert setup.read() == [16]
    for _ in range(15):  # the sixteenth is due in 18 s
        setup.clock.advance(seconds=0.96)
        setup.store.edition = "same"
        setup.read()
    setup.clock.advance(seconds=0.96)  # 15.36 s: what was read ends in more than two seconds
    assert setup.read() == []
    setup.clock.advance(seconds=0.96)
    assert setup.read() == [16, 160]


def test_no_read_has_more_rows_than_may_be_kept(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MOST_ROWS", 30)
    for n in range(50):
        setup.store.add(f"entry {n}", 0.5)
    assert setup.read() == [16, 30]
    setup.clock.advance(seconds=0.5)
    assert len(setup.pop()) == 30
    assert setup.next_in_s() == 0  # there may be more that is due
    setup.store.rows = {n: row for n, row in setup.store.rows.items() if n > "entry 30"}
    assert setup.read() == [30]


def test_rows_that_wait_are_left_out_and_do_not_hide_others(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(25):
        setup.store.add(f"waits {n}", 0.5, source="files")
    setup.store.add("a", 1)
    waiting = Unapplied(owners=frozenset({"files"}))
    assert setup.read(waiting) == [16, 160]
    setup.clock.advance(seconds=0.9)
    assert setup.pop() == []
    assert setup.read(NOTHING_WAITS) == [64]  # at once: others wait now
    assert len(setup.pop()) == 25


def test_more_rows_that_wait_than_are_read_are_looked_at_each_second(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MOST_ROWS_WITH_WAITING", 20)
    for n in range(25):
        setup.store.add(f"waits {n}", 0.5, source="files")
    waiting = Unapplied(owners=frozenset({"files"}))
    assert setup.read(waiting) == [16, 20]
    setup.clock.advance(seconds=0.6)
    assert setup.read(waiting) == []
    assert setup.next_in_s() == pytest.approx(0.4)


def test_a_read_ends_with_enough_rows_though_others_wait(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MOST_ROWS", 160)
    for n in range(300):
        setup.store.add(f"entry {n}", 0.5)
    assert setup.read(Unapplied(owners=frozenset({"files"}))) == [16, 160]


def test_rows_that_wait_may_be_all_that_there_is(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MOST_ROWS_WITH_WAITING", 20)
    for n in range(18):
        setup.store.add(f"waits {n}", 0.5, source="files")
    assert setup.read(Unapplied(owners=frozenset({"files"}))) == [16, 20]
    assert setup.next_in_s() == pytest.approx(1)


def test_due_rows_are_popped_oldest_first_and_once(setup: Setup) -> None:
    setup.store.add("c", 3)
    setup.store.add("b", 2)
    setup.store.add("a", 1)
    setup.read()
    setup.clock.advance(seconds=2)
    assert setup.pop(limit=1) == ["a"]
    assert setup.pop() == ["b"]
    assert setup.pop() == []
    assert setup.store.asked_running == [None]  # by the read alone: all allow overlap


def test_what_runs_is_asked_for_when_an_entry_without_overlap_is_due(setup: Setup) -> None:
    setup.store.add("a", 1)
    setup.store.add("b", 1, overlap="skip", max_run="1h")
    setup.read()
    now = setup.clock.now()
    setup.store.running_now = {name: Running("id", now, now) for name in ("a", "b")}
    setup.clock.advance(seconds=1)
    rows = {row.entry.name: row for row in setup.look.pop_due(setup.clock.now(), 10)}
    assert setup.store.asked_running == [None, ["b"]]
    assert (rows["a"].running, rows["b"].running) == (None, Running("id", now, now))


def test_it_looks_again_shortly_before_the_next_is_due(setup: Setup) -> None:
    setup.store.add("a", 0.5)
    setup.read()
    assert setup.next_in_s() == pytest.approx(0.475)
    setup.clock.advance(seconds=0.475)
    assert setup.next_in_s() == pytest.approx(0.025)
    setup.clock.advance(seconds=0.02)
    assert setup.next_in_s() == pytest.approx(0.005)


def test_without_rows_it_looks_again_a_second_after_the_last_read(setup: Setup) -> None:
    assert setup.next_in_s() == 0
    setup.read()
    assert setup.next_in_s() == pytest.approx(1)
    setup.clock.advance(seconds=0.6)
    assert setup.next_in_s() == pytest.approx(0.4)
    setup.clock.advance(seconds=0.6)
    assert setup.next_in_s() == pytest.approx(0.025)


def test_runs_are_prepared_two_seconds_ahead_and_batches_just_before(setup: Setup) -> None:
    for name in ("a", "b", "c"):
        setup.store.add(name, 2)
    setup.store.add("later", 2.000001)
    setup.read()
    assert setup.work_ahead() is False
    assert (setup.parts.runs, setup.parts.batches) == (["a", "b", "c"], [])
    setup.parts.more_history = True
    setup.clock.advance(seconds=1.974999)
    assert setup.work_ahead() is True
    assert (setup.parts.batches, setup.look.is_prepared) == ([], False)
    setup.clock.advance(microseconds=1)
    assert setup.work_ahead() is False
    assert (setup.parts.batches, setup.look.is_prepared) == ([["a", "b"], ["c"]], True)
    assert setup.parts.at == setup.store.rows["a"].plan.due


def test_more_than_a_hundred_entries_are_prepared_in_several_calls(setup: Setup) -> None:
    for n in range(150):
        setup.store.add(f"entry {n}", 0.02)
    setup.read()
    assert setup.work_ahead() is True
    assert (len(setup.parts.runs), setup.parts.batches) == (100, [])
    assert setup.work_ahead() is False
    assert len(setup.parts.runs) == 150 and sum(map(len, setup.parts.batches)) == 150


def test_no_more_moves_are_prepared_than_there_is_time_for(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "PREPARED_MOVES", 3)
    for n in range(5):
        setup.store.add(f"entry {n}", 0.02)
    setup.read()
    setup.work_ahead()
    assert sum(map(len, setup.parts.batches)) == 3


def test_entries_that_are_gone_leave_the_caches(setup: Setup) -> None:
    setup.store.add("a", 1)
    setup.store.add("b", 1)
    setup.read()
    assert (setup.parts.forgotten, setup.store.dropped) == ([], [])
    del setup.store.rows["a"]
    setup.look.is_stale = True
    setup.read()
    assert (setup.parts.forgotten, setup.store.dropped) == (["a"], ["a"])


# after a batch


def sent(setup: Setup, *, made: bool = True, **fields: Any) -> None:
    """The due rows were claimed, each with its own move."""
    rows = setup.look.pop_due(setup.clock.now(), 100)
    moves = [replace(setup.look.moves.mover.due(row, setup.clock.now()), **fields) for row in rows]
    for move in moves:
        if made and move.plan is not None:
            setup.store.rows[move.name] = moved_on(setup.store.rows[move.name], move)
    published = Published(moves, [made] * len(moves))
    setup.look.rewind.sent(published)
    setup.look.move_on(rows, [published])


def test_a_row_that_was_claimed_is_due_again_without_a_read(setup: Setup) -> None:
    before = setup.store.add("a", 1, every="1s")
    setup.read()
    for n in range(1, 4):
        setup.clock.advance(seconds=1)
        sent(setup)
        after = setup.store.rows["a"]
        assert (after.runs, after.last) == (n, before.plan.planned)
        before = after
    assert (setup.look.is_stale, setup.parts.forgotten) == (False, [])
    setup.clock.advance(seconds=0.99)
    setup.work_ahead()
    assert (setup.parts.runs, setup.parts.batches) == (["a"], [["a"]])


def test_a_row_whose_claim_was_refused_is_read_again(setup: Setup) -> None:
    setup.store.add("a", 1)
    setup.read()
    setup.clock.advance(seconds=1)
    sent(setup, made=False)
    assert (setup.parts.forgotten, setup.store.dropped) == (["a"], ["a"])
    assert setup.next_in_s() == 0
    assert setup.read() == [16]
    assert setup.pop() == ["a"]


def test_a_row_that_moved_behind_those_that_were_read_is_not_kept(setup: Setup) -> None:
    """One that is not kept is due behind the last row that was read; both come with a read."""
    setup.store.add("a", 1, every="20s")
    setup.store.add("b", 1, every="5s")
    for n in range(14):
        setup.store.add(f"entry {n}", 10)
    setup.read()
    setup.clock.advance(seconds=1)
    sent(setup)
    setup.clock.advance(seconds=5)
    assert setup.pop() == ["b"]
    setup.clock.advance(seconds=15)
    assert "a" not in setup.pop()


def test_a_move_without_another_run_leaves_nothing_behind(setup: Setup) -> None:
    setup.store.add("a", 1, max_runs=1)
    setup.read()
    setup.clock.advance(seconds=1)
    sent(setup)
    assert (setup.look.is_stale, setup.pop()) == (False, [])
    assert setup.next_in_s() == pytest.approx(0.025)


@pytest.mark.parametrize("is_gone", [True, False])
def test_the_end_of_a_run_for_which_an_entry_waits_makes_it_read_again(
    setup: Setup, is_gone: bool
) -> None:
    row = setup.store.add("a", 1, overlap="queue", max_run="1h")
    setup.read()
    setup.clock.advance(seconds=1)
    setup.read()
    now = setup.clock.now()
    running = Running("id", now, now + timedelta(hours=1), waits=True)
    setup.store.running_now = {"a": running}
    sent(setup)
    assert row.plan.planned == setup.store.rows["a"].plan.planned  # it waits
    setup.clock.advance(seconds=0.96)
    assert setup.read() == []
    setup.store.running_now = {} if is_gone else {"a": replace(running, waits=False)}
    setup.clock.advance(seconds=0.96)
    assert setup.read() == [16]
    setup.clock.advance(seconds=0.96)
    assert setup.read() == []  # nobody waits any more


def test_a_loss_is_noticed_by_the_newest_row_that_was_claimed(setup: Setup) -> None:
    lost = setup.store.add("a", 1, every="1s")
    setup.read()
    setup.clock.advance(seconds=1)
    sent(setup)
    setup.store.rows["a"] = lost
    setup.look.is_stale = True
    setup.read()
    assert [type(event) for event in setup.told] == [WentBack]


def test_nothing_is_kept_after_it_was_told_to_forget(setup: Setup) -> None:
    setup.store.add("a", 1)
    setup.read()
    setup.work_ahead()
    setup.look.forget()
    assert setup.look.moves.of([setup.store.rows["a"]]) == []
    setup.clock.advance(seconds=1)
    assert (setup.pop(), setup.next_in_s()) == ([], 0)
    assert setup.read() == [16]


def test_a_row_that_moved_on_has_the_plan_and_the_runs_of_its_move(setup: Setup) -> None:
    row = replace(setup.store.add("a", 1), runs=2, paused=False)
    move = setup.look.moves.mover.due(row, setup.clock.now() + timedelta(seconds=1))
    after = moved_on(row, move)
    assert (after.plan, after.runs, after.last) == (move.plan, 3, row.plan.planned)
    assert (after.entry, after.revision, after.running) == (row.entry, row.revision, None)


def test_the_last_run_of_an_entry_does_not_hide_a_loss_of_another(setup: Setup) -> None:
    lost = setup.store.add("a", 1, every="1s")
    setup.store.add("b", 1, max_runs=1)
    setup.read()
    setup.clock.advance(seconds=1)
    sent(setup)
    setup.clock.advance(seconds=1)
    assert setup.pop() == ["a"]
    setup.store.rows["a"] = lost
    setup.look.is_stale = True
    setup.read()
    assert [type(event) for event in setup.told] == [WentBack]


def read_twice(setup: Setup) -> None:
    """Read, so that the version is known."""
    setup.read()
    setup.clock.advance(seconds=1)
    setup.read()


@pytest.mark.parametrize("rule", [{"catch_up": "skip", "grace": "0s"}, {"overlap": "queue"}])
def test_neither_a_run_that_started_nor_a_skipped_one_makes_it_read_again(
    setup: Setup, rule: dict[str, str]
) -> None:
    rule = {"max_run": "1h", **rule} if "overlap" in rule else rule
    setup.store.add("a", 1, **rule)
    read_twice(setup)
    setup.clock.advance(seconds=0.5)
    sent(setup)
    assert setup.store.rows["a"].last is not None
    now = setup.clock.now()
    if "overlap" in rule:
        setup.store.running_now = {"a": Running("id", now, now + timedelta(hours=1))}
    setup.clock.advance(seconds=0.96)
    assert (setup.read(), setup.store.versions) == ([], 2)


def test_an_entry_that_was_added_anew_is_planned_though_it_could_not_be_before(
    setup: Setup,
) -> None:
    def fails(schedule: Schedule, moment: datetime) -> datetime | None:
        raise ScheduleError("not found")

    setup.look.moves.begin(Mover(UUID(int=0), fails))
    row = setup.store.add("a", 1)
    for _ in range(2):
        setup.store.rows["a"] = row
        setup.look.is_stale = True
        setup.read()
        assert setup.look.moves.settle([row], row.plan.due or LAST_MOMENT) == []
        del setup.store.rows["a"]
        setup.look.is_stale = True
        setup.read()
    assert [type(event) for event in setup.told] == [Unplannable, Unplannable]
