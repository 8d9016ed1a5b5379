"""Kills a writer in the middle of its work, again and again: `python -m … URL ROUNDS`.

Each round forks a writer that tells what was acknowledged, kills it, and looks at what is there.
"""

import os
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from threading import Timer

from beatd.catalog import Change, Plan, Query
from beatd.definition import codec, entry_from
from beatd.leader import Holder
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id
from beatd.stores.sql import SqlStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=10)
WIDTH = 5


def planned(moment: datetime) -> Plan:
    return Plan(moment, moment, "mark", "1")


def write(url: str, prefix: str, out: int) -> None:
    store = SqlStore(url, codec=codec)
    term = store.begin(Holder("writer", "host", os.getpid(), NOON, prefix))
    number = 0
    while True:
        number += 1
        names = [f"{prefix}-{number}-{place}" for place in range(WIDTH)]
        entries = [entry_from(name, {"task": "t", "every": "10s"}, source="cli") for name in names]
        assert all(store.write([Change(e.name, 0, e, planned(NOON)) for e in entries]))
        os.write(out, f"put {number}\n".encode())
        moves = []
        for row in store.find(Query(names=tuple(names))):
            what = Occurrence(row.entry.name, NOON)
            run = Run(what, task_id(store.namespace, what), row.entry, row.revision, NOON)
            moves.append(
                Move(
                    of="plan",
                    name=what.name,
                    revision=row.revision,
                    seen=NOON,
                    plan=planned(LATER),
                    run=run,
                    counts=1,
                )
            )
        assert all(store.claim(moves, term, NOON))
        os.write(out, f"claim {number}\n".encode())
        store.record([Result(m.run, Outcome("confirmed"), NOON) for m in moves if m.run])
        os.write(out, f"record {number}\n".encode())


def look(url: str, prefix: str, told: list[str]) -> None:
    store = SqlStore(url, codec=codec)
    try:
        rows = {row.entry.name: row for row in store.find(Query(name_like=f"{prefix}-*"))}
        states = {n: [r.state for r in store.history(n, None)] for n in rows}
        last = max((int(line.split()[1]) for line in told), default=0)
        for number in range(1, last + 2):
            names = [f"{prefix}-{number}-{place}" for place in range(WIDTH)]
            there = [name for name in names if name in rows]
            assert len(there) in (0, WIDTH), "a batch of changes is there in part"
            assert there or f"put {number}" not in told, "an acknowledged entry is lost"
            moved = [name for name in there if rows[name].plan.planned == LATER]
            assert len(moved) in (0, WIDTH), "a batch of claims is there in part"
            assert moved or f"claim {number}" not in told, "an acknowledged claim is lost"
            ends = {tuple(states[name]) for name in there}
            assert len(ends) <= 1, "a batch is recorded in part"
            if f"record {number}" in told:
                assert ends == {("published",)}, "an acknowledged record is lost"
            elif moved:
                assert ends in ({("claimed",)}, {("published",)}), "a claim has no trace"
                assert all(rows[name].runs == 1 for name in there)
            else:
                assert ends <= {()}, "a trace without a claim"
    finally:
        store.close()


def round_of(url: str, number: int, luck: random.Random) -> None:
    prefix = f"r{number}"
    read, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            write(url, prefix, out)
        finally:
            os._exit(1)
    os.close(out)
    with os.fdopen(read, "rb") as said:
        told = said.readline()
        # From the first word on, so that the kill comes at work and not at the start.
        kill = Timer(luck.random() * 0.05, os.kill, (child, signal.SIGKILL))
        kill.start()
        told += said.read()
    kill.join()
    os.waitpid(child, 0)
    assert told, "the writer did not start"
    look(url, prefix, told.decode().splitlines())


def main() -> None:
    url, rounds = sys.argv[1], int(sys.argv[2])
    luck = random.Random(rounds)
    SqlStore(url, codec=codec).close()
    for number in range(rounds):
        round_of(url, number, luck)


if __name__ == "__main__":
    main()
