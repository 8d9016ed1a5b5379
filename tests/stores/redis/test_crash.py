"""Writers and servers that are killed at any instant, and eight processes at once."""

import multiprocessing
import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from beatd.catalog import Change, Query
from beatd.definition import codec
from beatd.errors import Deposed
from beatd.stores.redis import RedisStore
from tests.stores.making import (
    at,
    entry,
    lead,
    names,
    open_claims,
    past,
    plan,
    put_many,
    row,
    step,
    told,
)
from tests.stores.redis.servers import Start

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
WRITER = """
import sys
from beatd.catalog import Change, Query
from beatd.definition import codec
from beatd.stores.redis import RedisStore
from tests.stores.making import at, entry, lead, plan, row, step, told
store = RedisStore(sys.argv[1], codec=codec)
term = lead(store)
first = int(sys.argv[2])
for number in range(first, first + 1_000_000):
    name = f"n{number}"
    assert store.write([Change(name, 0, entry(name), plan(number))]) == [True]
    print("written", name, flush=True)
    move = step(store, row(store, name), number + 10)
    assert store.claim([move], term, at(number)) == [True]
    print("claimed", name, flush=True)
    store.record([told(move.run, when=number + 1)])
    print("published", name, flush=True)
"""


def counts(rounds: int, long: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "rounds", [rounds, pytest.param(long, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
    )


@counts(5, 500)
@pytest.mark.parametrize("victim", ["writer", "server"])
def test_nothing_acknowledged_is_lost_to_a_kill(
    start: Start, open_store: Callable, rounds: int, victim: str
) -> None:
    process = start(*DURABLE)
    chance = random.Random(rounds)
    for number in range(rounds):
        first = number * 1_000_000
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, process.url, str(first)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert writer.stdout is not None
        told_so = [writer.stdout.readline().split() for _ in range(chance.randint(1, 60))]
        if victim == "writer":
            writer.kill()
        else:
            process.kill()
        told_so += [line.split() for line in writer.stdout]
        writer.stdout.close()
        writer.wait()
        if victim == "server":
            process.start()
        store = open_store(process.url)
        whole = [said for said in told_so if len(said) == 2]
        done = {kind: {name for told, name in whole if told == kind} for kind, _ in whole}
        kept = {stored.entry.name: stored for stored in store.find(Query())}
        assert done.get("written", set()) <= kept.keys()
        open_now = {claim.occurrence.name for claim in open_claims(store)}
        records = {record.name: record.state for record in past(store) if record.name in kept}
        for name in done.get("claimed", set()):
            assert kept[name].runs == 1
            assert name in open_now or records[name] == "published"
        for name in done.get("published", set()):
            assert records[name] == "published"
            assert name not in open_now
        # Nothing half there: what is in one place is in the others.
        assert {s.entry.name for s in store.find(Query(order="next"))} == kept.keys()
        process.admin.flushall()


def hammer(url: str, seed: int, seconds: float, failed: "multiprocessing.Queue[str]") -> None:
    """Adds, edits, claims and removes the same entries as others do."""
    chance = random.Random(seed)
    try:
        store = RedisStore(url, codec=codec)
        term, edits = lead(store, f"p{seed}"), 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            some = tuple(f"n{chance.randrange(1000)}" for _ in range(20))
            there = {stored.entry.name: stored for stored in store.find(Query(names=some))}
            what = chance.random()
            if what < 0.3:
                changes = [
                    Change(n, there[n].revision if n in there else 0, entry(n), plan(edits))
                    for n in set(some)
                ]
                edits += sum(store.write(changes))
            elif what < 0.4:
                store.write([Change(n, s.revision, None) for n, s in list(there.items())[:5]])
            elif what < 0.9:
                try:
                    moves = [step(store, s, edits + 100) for s in store.upcoming(20)]
                    done = store.claim(moves, term, at(edits))
                    store.record(
                        [told(m.run) for m, ok in zip(moves, done, strict=True) if ok and m.run]
                    )
                except Deposed:
                    term = lead(store, f"p{seed}")
            else:
                list(store.history(some[0], 20))
        store.close()
    except BaseException as trouble:
        failed.put(f"{type(trouble).__name__}: {trouble}")
        raise


@pytest.mark.parametrize("seconds", [3.0, pytest.param(60.0, marks=pytest.mark.long)])
def test_eight_processes_at_once_leave_it_whole(
    start: Start, open_store: Callable, seconds: float
) -> None:
    process = start()
    store = open_store(process.url)
    put_many(store, [f"n{number}" for number in range(1000)])
    context = multiprocessing.get_context("spawn")
    failed: multiprocessing.Queue[str] = context.Queue()
    workers = [
        context.Process(target=hammer, args=(process.url, seed, seconds, failed))
        for seed in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(seconds + 60)
    assert [worker.exitcode for worker in workers] == [0] * 8, failed.get(timeout=1)
    by_name = names(store.find(Query()))
    assert by_name == sorted(set(by_name))
    assert sorted(names(store.find(Query(order="next")))) == by_name
    base = "beatd:{0}:"
    for table in ("rows", "entries"):
        assert process.admin.hlen(base + table) == len(by_name)
    assert process.admin.zcard(base + "plan") == len(by_name)
    occurrences = [(r.name, r.planned) for r in past(store) if r.state == "published"]
    assert occurrences
    assert store.problems() == []


def test_edits_of_one_entry_by_many_are_all_counted(start: Start, open_store: Callable) -> None:
    """Compare and retry: what was read is written only if nobody wrote in between."""
    process = start()
    store = open_store(process.url)
    put_many(store, ["tidy"])
    made = 0
    other = open_store(process.url)
    for number in range(40):
        one, two = row(store), row(other)
        changes = [Change("tidy", one.revision, entry(args=[number]), None)]
        assert store.write(changes) == [True]
        assert other.write([Change("tidy", two.revision, entry(args=["x"]), None)]) == [False]
        made += 1
    assert list(row(store).entry.args) == [made - 1]
