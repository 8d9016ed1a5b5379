"""Any store does what the memory store does, whatever is asked of it in whatever order."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Position, Progress, Query
from beatd.changes import Author, Pause
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import Deposed
from beatd.ledger import Move, Request, Result
from beatd.publisher import Outcome
from beatd.run import Skip
from beatd.store import Store
from beatd.stores.embedded.memory import MemoryStore
from tests.stores.changing import ANN, BOB, pause_of
from tests.stores.making import (
    again,
    asked,
    at,
    closed,
    edit,
    entry,
    holder,
    names,
    open_claims,
    past,
    plan,
    request_of,
    step,
)
from tests.stores.test_history_pages import pages

NAMES = ("a", "B", "ç 🐝")


class Pair:
    """The same is done to both; what each sees of it must be equal."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self.chance = chance
        self.both: list[Any] = [MemoryStore(codec=codec, clock=SystemClock()), store]
        self.terms = [one.begin(holder()) for one in self.both]
        self.old_terms = self.terms
        self.now = 100
        self.sent: list[list[Any]] = [[], []]
        self.moments = 0

    def rows(self) -> list[Any]:
        """A row of one name from each store, or None."""
        name = self.chance.choice(NAMES)
        return [next(iter(one.find(Query(names=(name,)))), None) for one in self.both]

    def each(self, act: Callable[[int, Any], Any]) -> None:
        answers = [act(n, one) for n, one in enumerate(self.both)]
        assert list(answers[0] or ()) == list(answers[1] or ())

    def moment(self, least: int, most: int) -> datetime:
        """Near now, and never the same twice: the engine plans no moment again that ran."""
        self.moments += 1
        ahead = self.now + self.chance.randint(least, most)
        return at(ahead) + timedelta(microseconds=self.moments)

    # the steps

    def edit(self) -> None:
        name, task = self.chance.choice(NAMES), f"proj.{self.chance.randint(0, 99)}"
        mark, paused = self.chance.choice("xyz"), self.chance.random() < 0.2
        enabled, planned = self.chance.random() < 0.9, self.moment(-9, 9)
        with_plan, stale = self.chance.random() < 0.7, self.chance.random() < 0.1
        moved = self.chance.random() < 0.1
        author, pause = self.author(), self.pause() if paused else None
        made = entry(name, task=task, enabled=enabled)

        def write(n: int, one: Store) -> Any:
            there = next(iter(one.find(Query(names=(name,)))), None)
            seen = (there.revision if there else 0) + stale
            came = there.progress if there and not moved else Progress()
            given = plan(planned, mark) if with_plan else None
            more: dict[str, Any] = {"progress": came, "author": author, "pause": pause}
            return one.write([Change(name, seen, made, given, paused, **more)])

        self.each(write)

    def author(self) -> Author | None:
        return self.chance.choice((None, ANN, BOB))

    def pause(self) -> Pause | None:
        until = self.chance.choice((None, self.now + 5, self.now + 500))
        return self.chance.choice((None, pause_of(until), pause_of(until, "deploy", when=self.now)))

    def stop(self) -> None:
        paused, found, author = self.chance.random() < 0.7, self.rows(), self.author()
        pause = self.pause() if paused else None

        def write(n: int, one: Store) -> Any:
            more: dict[str, Any] = {"paused": paused, "author": author, "pause": pause}
            return one.write([edit(found[n], found[n].entry, **more)])

        if found[0] is not None:
            self.each(write)

    def replace(self) -> None:
        """Remove an entry and add one of its name in the same call."""
        found, author, paused = self.rows(), self.author(), self.chance.random() < 0.3
        made, planned = entry(task="proj.again"), plan(self.moment(1, 9), "y")

        def write(n: int, one: Store) -> Any:
            name, seen = found[n].entry.name, found[n].revision
            again = replace(made, name=name)
            return one.write(
                [
                    Change(name, seen, None, author=author),
                    Change(name, 0, again, planned, paused, author=author),
                ]
            )

        if found[0] is not None:
            self.each(write)

    def remove(self) -> None:
        found = self.rows()
        author = self.author()
        if found[0] and self.chance.random() < 0.5:
            self.each(
                lambda n, one: one.write(
                    [Change(found[n].entry.name, found[n].revision, None, author=author)]
                )
            )

    def claim_plans(self) -> None:
        following, owing = [self.moment(1, 20) for _ in range(2)], self.chance.random() < 0.3
        skipping, back = self.chance.random() < 0.3, self.chance.random() < 0.1
        id = f"{self.chance.random()}"

        def claim(n: int, one: Store) -> Any:
            moves: list[Move] = []
            for stored, after in zip(one.upcoming(2), following, strict=False):
                moment = stored.plan.planned
                assert moment is not None
                more: dict[str, Any] = {}
                if owing:
                    name, backlog = stored.entry.name, "backlog"
                    owed = Request(f"{id} {name}", name, backlog, moment, at(self.now), 0)
                    more = {"run": None, "counts": 0, "backlog": owed}
                if skipping:
                    more["skips"] = (Skip(moment, at(self.now), 3, "late"),)
                moves.append(step(one, stored, after, **more))
            self.sent[n] += [move.run for move in moves if move.run]
            return self._claim(n, one, moves, old=back)

        self.each(claim)

    def _claim(self, n: int, one: Store, moves: list[Move], *, old: bool = False) -> Any:
        try:
            return one.claim(moves, (self.old_terms if old else self.terms)[n], at(self.now))
        except Deposed:
            return ["deposed"]

    def ask(self) -> None:
        found, kind = self.rows(), self.chance.choice(("trigger", "backfill"))
        if found[0] is not None:
            request = request_of(found[0], kind, self.now - 20, self.now)
            self.each(lambda n, one: one.add_requests([request]))

    def work_off(self) -> None:
        ends, counts = self.chance.random() < 0.5, self.chance.randint(0, 1)

        def claim(n: int, one: Store) -> Any:
            moves = []
            for request, stored in one.requests(2):
                if stored is None:
                    continue
                first = None if ends else at(self.now - 5)
                moves.append(asked(one, request, stored, first=first, counts=counts))
            self.sent[n] += [move.run for move in moves if move.run]
            return self._claim(n, one, moves)

        self.each(claim)

    def settle_unknowns(self) -> None:
        anew = self.chance.random() < 0.5

        def claim(n: int, one: Store) -> Any:
            found = sorted(one.unknowns(at(self.now), 100), key=lambda c: c.occurrence.name)[:2]
            moves = [again(c, one) if anew and c.stored else closed(c, "unknown") for c in found]
            return self._claim(n, one, moves)

        self.each(claim)

    def record(self) -> None:
        chosen = [self.chance.randint(0, 1000) for _ in range(3)]
        sents: list[Any] = ["confirmed", "rejected", "unsent", "unknown"]
        outcomes = [Outcome(self.chance.choice(sents), "because") for _ in range(3)]

        def tell(n: int, one: Store) -> None:
            sent = self.sent[n][-6:]
            runs = list({r.occurrence: r for r in (sent[c % len(sent)] for c in chosen)}.values())
            one.record([Result(r, o, at(self.now)) for r, o in zip(runs, outcomes, strict=False)])

        if self.sent[0]:
            self.each(tell)

    def change_leader(self) -> None:
        self.old_terms = self.terms
        self.terms = [one.begin(holder()) for one in self.both]

    def forget(self) -> None:
        before, keep = (
            at(self.now - 300),
            self.chance.choice((0, 1000, 1000)),
        )  # which of equally old ones goes is open
        counts = [one.forget(before, keep) for one in self.both]
        assert counts[0] == counts[1]
        left = self.chance.choice((3, 1000))
        counts = [one.forget_changes(at(-1_000_000_000), left) for one in self.both]
        assert counts[0] == counts[1]

    def check(self) -> None:
        seen = [self.sight(one) for one in self.both]
        for what in seen[0]:
            assert seen[0][what] == seen[1][what], what

    def sight(self, one: Store) -> dict[str, Any]:
        def plain(row: Any) -> Any:
            return row and (row.entry, row.paused, row.plan, row.runs, row.last)

        def with_pause(row: Any) -> Any:
            return plain(row), row.pause

        def page(query: Query) -> list[Any]:
            """What is read behind the first two, which are the same in every store."""
            first = list(one.find(replace(query, limit=2)))
            after = Position(first[-1].entry.name, first[-1].plan.due) if first else None
            return [plain(row) for row in one.find(replace(query, after=after))]

        def record(r: Any) -> Any:
            late = r.late and round(r.late, 3)
            return (r.name, r.planned, r.state, r.reason, r.published, late, r.until, r.count)

        def claim(c: Any) -> Any:
            key = c.occurrence.name, c.occurrence.planned, c.occurrence.request
            return (*key, c.due, c.claimed_at, c.term, c.unsent, str(plain(c.stored)))

        return {
            "rows": [with_pause(row) for row in one.find(Query())],
            "pages": [page(Query()), page(Query(order="next"))],
            "paused": names(one.find(Query(paused=True))),
            "found": names(one.find(Query(contains="AGAIN"))),
            "ending": list(one.ending_pauses(at(self.now), 100)),
            "changes": [replace(c, id="", at=at(0)) for c in one.changes(None, 1000)],
            "of a": [replace(c, id="", at=at(0)) for c in one.changes("a", 3)],
            "next": [plain(row) for row in one.find(Query(order="next"))],
            "upcoming": sorted(map(plain, one.upcoming(100)), key=str),
            "requests": [(request, plain(row)) for request, row in one.requests(100)],
            "claims": sorted(map(claim, open_claims(one))),
            "history": sorted(map(str, map(record, past(one)))),
            "history in pages": sorted(map(str, map(record, chain(*pages(one, None, 9))))),
            "history of a": sorted(map(str, map(record, chain(*pages(one, "a", 2))))),
        }


STEPS = (
    *(
        Pair.edit,
        Pair.edit,
        Pair.stop,
        Pair.replace,
        Pair.remove,
        Pair.claim_plans,
        Pair.claim_plans,
        Pair.ask,
    ),
    *(Pair.work_off, Pair.settle_unknowns, Pair.record, Pair.record, Pair.change_leader),
    Pair.forget,
)


SHORT = list(range(3))
LONG = [pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40)]


@pytest.mark.parametrize("seed", [*SHORT, *LONG])
def test_every_store_does_what_the_model_does(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    pair = Pair(store, chance)
    for _ in range(60):
        pair.now += chance.randint(1, 5)
        chance.choice(STEPS)(pair)
        pair.check()
