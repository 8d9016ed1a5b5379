"""One of several that work on the same entries: `python -m … URL ME SECONDS`; tells what it did.

The first hundred entries are only edited; the others also come and go.
"""

import random
import sys
import time
from datetime import UTC, datetime, timedelta

from msgspec import json
from msgspec.structs import replace

from beatd.catalog import Change, Plan, Query, Stored
from beatd.definition import codec, entry_from
from beatd.errors import Deposed
from beatd.leader import Holder
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id
from beatd.stores.sql import SqlStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY, EDITED = 1000, 100


def name_of(number: int) -> str:
    return f"entry-{number:04}"


def fresh(number: int) -> Change:
    entry = entry_from(name_of(number), {"task": "t", "every": "10s"}, source="cli")
    return Change(entry.name, 0, entry, Plan(NOON, NOON, "mark", "1"))


class Worker:
    def __init__(self, url: str, me: str) -> None:
        self.store = SqlStore(url, codec=codec)
        self.me, self.luck = me, random.Random(me)
        self.holder = Holder(me, "host", 1, NOON, me)
        self.term = self.store.begin(self.holder)
        self.patches: dict[str, int] = {}
        self.claimed: list[str] = []
        self.deposed = 0

    def rows(self, numbers: list[int]) -> list[Stored]:
        return list(self.store.find(Query(names=tuple(map(name_of, numbers)))))

    def edit(self) -> None:
        """A patch of one's own field, made again until it was made from what is there."""
        name = name_of(self.luck.randrange(EDITED))
        while True:
            (row,) = self.store.find(Query(names=(name,)))
            mine = {**row.entry.kwargs, self.me: row.entry.kwargs.get(self.me, 0) + 1}
            change = Change(name, row.revision, replace(row.entry, kwargs=mine))
            if self.store.write([change])[0]:
                self.patches[name] = self.patches.get(name, 0) + 1
                return

    def come_and_go(self) -> None:
        numbers = self.luck.sample(range(EDITED, MANY), 20)
        there = self.rows(numbers)
        self.store.write([Change(row.entry.name, row.revision, None) for row in there[:10]])
        names = {row.entry.name for row in there}
        self.store.write([fresh(n) for n in numbers if name_of(n) not in names])

    def claim(self) -> None:
        moves = []
        for row in self.store.upcoming(50):
            now = row.plan.planned
            assert now is not None
            what = Occurrence(row.entry.name, now, f"{row.revision}")
            then = now + timedelta(seconds=10)
            run = Run(what, task_id(self.store.namespace, what), row.entry, row.revision, now)
            plan = Plan(then, then, "mark", "1")
            moves.append(
                Move(
                    of="plan",
                    name=what.name,
                    revision=row.revision,
                    seen=now,
                    plan=plan,
                    run=run,
                    counts=1,
                )
            )
        self.luck.shuffle(moves)
        try:
            made = self.store.claim(moves, self.term, NOON)
        except Deposed:
            self.deposed += 1
            self.term = self.store.begin(self.holder)
            return
        runs = [m.run for m, ok in zip(moves, made, strict=True) if ok and m.run]
        self.claimed += [run.task_id for run in runs]
        self.store.record([Result(run, Outcome("confirmed"), NOON) for run in runs])


def main() -> None:
    url, me, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    worker = Worker(url, me)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        worker.luck.choice([worker.edit, worker.edit, worker.come_and_go, worker.claim])()
    told = {"patches": worker.patches, "claimed": worker.claimed, "deposed": worker.deposed}
    sys.stdout.write(json.encode(told).decode())


if __name__ == "__main__":
    main()
