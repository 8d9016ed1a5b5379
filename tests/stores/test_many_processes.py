"""Eight processes add, edit, claim, record and remove the same thousand entries at once."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from beatd.catalog import Query, Stored
from beatd.edits import editing, entry_change
from beatd.entry import Entry
from beatd.errors import Deposed, UnknownEntry
from beatd.ledger import Move
from beatd.store import Store
from tests.stores.making import NOON, entry, lead, names, open_claims, past, step, told
from tests.stores.places import PLACES, memory, opened

PROCESSES = 8
STAY = [f"stay-{n}" for n in range(100)]
COME_AND_GO = [f"come-{n}" for n in range(900)]
THOUSAND = STAY + COME_AND_GO


class Work(Struct):
    """What one process did, as far as it was told that it was done."""

    counts: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)  # of those that stay
    left: dict[str, list[Any]] = field(default_factory=dict)  # in the field that all of them edit
    claims: list[tuple[str, str]] = field(default_factory=list)  # names and task ids
    trouble: str = ""


class Worker:
    def __init__(self, store: Store, me: int) -> None:
        self.store, self.me, self.done = store, f"p{me}", Work()
        self.chance = random.Random(me)
        self.term = lead(store, self.me)
        self.numbers = count(me + 1, PROCESSES)

    def work(self, steps: int) -> None:
        for _ in range(steps):
            what = self.chance.choice((self.edit, self.edit, self.add, self.remove, self.claim))
            what()
            self.done.counts[what.__name__] += 1

    def edit(self) -> None:
        """A field of my own, and one that all of us edit."""
        # A third of the edits are of the first ten, so that they do meet.
        name, number = THOUSAND[int(len(THOUSAND) * self.chance.random() ** 4)], next(self.numbers)

        def edited(found: Entry) -> Entry:
            kwargs = {**found.kwargs, self.me: found.kwargs.get(self.me, 0) + 1}
            return replace(found, kwargs=kwargs, args=[self.me, number])

        try:
            editing.patch(self.store, name, edited, lambda: NOON)
        except UnknownEntry:
            assert name in COME_AND_GO, "an entry that stays is gone"
        else:
            self.done.edits[name] += 1
            self.done.left[name] = [self.me, number]

    def add(self) -> None:
        """New or planned anew, at a moment that no other adding of any entry ever has."""
        start = NOON + timedelta(microseconds=next(self.numbers))
        name = self.chance.choice(COME_AND_GO)
        editing.put(self.store, entry(name, start=start.isoformat()), lambda: NOON)

    def remove(self) -> None:
        with suppress(UnknownEntry):
            editing.remove(self.store, [self.chance.choice(COME_AND_GO)])

    def claim(self) -> None:
        if self.chance.random() < 0.05:
            self.term = lead(self.store, self.me)
        some = [row for row in self.store.upcoming(30) if self.chance.random() < 0.7]
        moves = [self.next_second(row) for row in some]
        try:
            made = self.store.claim(moves, self.term, NOON)
        except Deposed:
            self.done.counts["deposed"] += 1
            newest = self.store.term()
            assert newest is not None
            self.term = newest[0]  # the eight of us are one leader, and in each other's way
            return
        runs = [move.run for move, ok in zip(moves, made, strict=True) if ok and move.run]
        self.done.claims += [(run.occurrence.name, run.task_id) for run in runs]
        self.store.record([told(run) for run in runs if self.chance.random() < 0.8])

    def next_second(self, row: Stored) -> Move:
        assert row.plan.planned is not None
        then = row.plan.planned + timedelta(seconds=1)
        return step(self.store, row, plan=replace(row.plan, planned=then, due=then))


def run_worker(place: Callable[[], Store], me: int, steps: int, answers: Any) -> None:
    with closing(place()) as store:
        worker = Worker(store, me)
        try:
            worker.work(steps)
        except BaseException as error:
            worker.done.trouble = repr(error)
            raise
        finally:
            answers.put(worker.done)


def run_workers(place: Callable[[], Store], steps: int) -> list[Work]:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    processes = [
        context.Process(target=run_worker, args=(place, me, steps, answers))
        for me in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    done = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return done


SHARED = [place for place in PLACES if place is not memory]


@pytest.fixture(params=SHARED, ids=lambda place: place.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path, server: Any) -> Iterator[Any]:
    with opened(request.param, tmp_path, server) as open_one:
        yield open_one


@pytest.mark.parametrize(
    "count", [40, pytest.param(3000, marks=[pytest.mark.long, pytest.mark.timeout(300)])]
)
def test_eight_processes_lose_no_edit_and_claim_nothing_twice(
    place: Callable[[], Store], count: int, record_property: Callable[[str, object], None]
) -> None:
    with closing(place()) as store:  # no open connection is shared with the children
        entries = [entry(name, start=NOON.isoformat()) for name in THOUSAND]
        assert all(store.write([entry_change.added(one, NOON, None) for one in entries]))
    done = run_workers(place, count)
    assert [one.trouble for one in done if one.trouble] == []
    for what, times in sum((one.counts for one in done), Counter[str]()).items():
        record_property(what, times)

    store = place()
    rows = {row.entry.name: row for row in store.find(Query())}
    claims = Counter(claim for one in done for claim in one.claims)
    record_property("occurrences", len(claims))
    assert max(claims.values()) == 1, "claimed twice"
    runs = Counter(name for name, _ in claims)
    for name in STAY:
        row = rows[name]
        edits = {one.left[name][0]: one.edits[name] for one in done if name in one.left}
        assert row.entry.kwargs == edits, "an edit was lost"
        assert list(row.entry.args) in [one.left.get(name, []) for one in done]
        assert row.runs == runs[name]
    # What is in one place is in the others.
    assert store.count() == len(rows)
    assert sorted(names(store.find(Query(order="next")))) == sorted(rows)
    records = past(store)
    assert Counter((record.name, record.task_id) for record in records) == claims
    still_open = [record for record in records if record.state == "claimed"]
    assert len(still_open) == len(open_claims(store))
    assert store.problems() == []
