"""Writers and servers that are killed at any instant."""

import random
import subprocess
import sys
from collections.abc import Callable

import pytest

from beatd.catalog import Query
from tests.stores.making import open_claims, past
from tests.stores.redis.servers import Start

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
WRITER = """
import sys
from beatd.catalog import Change
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
        assert whole, "the writer wrote nothing"
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
