"""The atomic path on one Redis: claim and push of a thousand messages in one script.

    python bench/redis_atomic.py redis://127.0.0.1:6379/9 [ENTRIES] [BATCHES]

The URL names an empty database. Prints the CPU time of the server per script, which is what limits
a Redis, and what a whole `publish` takes, packing included.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import redis

from beatd.catalog import Change, Plan
from beatd.definition import codec, entry_from
from beatd.leader import Holder
from beatd.ledger import Move
from beatd.publisher import Push
from beatd.run import Occurrence, Run, task_id
from beatd.stores.redis import RedisStore

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
BODY = b"x" * 864  # and its id: Redis would keep, and hash, equal ones once


def busy(client: redis.Redis) -> int:
    """Microseconds of CPU the server has used; fair on a machine that does other things too."""
    facts = client.info("cpu")
    return int((facts["used_cpu_user"] + facts["used_cpu_sys"]) * 1_000_000)


def main(url: str, entries: int, batches: int) -> None:
    client = redis.Redis.from_url(url)
    prefix = f"bench-{uuid4().hex[:8]}:"
    store = RedisStore(url, codec=codec, prefix=prefix)
    plain = {"task": "proj.job", "cron": "*/5 * * * *", "args": [2, 2], "kwargs": {"full": True}}
    entry = entry_from("any", plain, source="cli")
    memory = int(client.info("memory")["used_memory"])
    for first in range(0, entries, 10_000):
        changes = []
        for number in range(first, min(entries, first + 10_000)):
            moment = NOON + timedelta(milliseconds=number)
            name = f"entry-{number:07}"
            changes.append(Change(name, 0, entry, Plan(moment, moment, "0123456789abcdef", "1")))
        assert all(store.write(changes))
    used = int(client.info("memory")["used_memory"]) - memory
    print(f"{entries} entries, {used / entries:.0f} bytes each")

    term = store.begin(Holder("bench", "here", 1, NOON, "token"))
    later = NOON + timedelta(days=1)
    queue = f"{prefix}queue"
    whole, alone, packing, history = [], [], [], []
    for batch in range(batches):
        at = NOON + timedelta(hours=1, seconds=batch)
        started = time.perf_counter()
        rows = store.upcoming(1000)
        reading = time.perf_counter() - started
        moves, pushes = [], []
        for row in rows:
            occurrence = Occurrence(row.entry.name, row.plan.planned)
            run = Run(
                occurrence, task_id(store.namespace, occurrence), row.entry, row.revision,
                row.plan.due,
            )  # fmt: skip
            plan = Plan(later + timedelta(seconds=batch), later, row.plan.fingerprint, "1")
            moves.append(
                Move(of="plan", name=row.entry.name, revision=row.revision,
                     seen=row.plan.planned, plan=plan, run=run, counts=1)
            )  # fmt: skip
            pushes.append((Push(queue, run.task_id.encode() + BODY),))
        before = busy(client)
        started = time.perf_counter()
        outcomes = store.step(moves, pushes).begin(term, at)()
        whole.append(time.perf_counter() - started)
        alone.append(busy(client) - before)
        packing.append(reading)
        before = busy(client)
        while store.write_up(1000):
            pass
        history.append(busy(client) - before)
        assert all(outcome is not None and outcome.sent == "confirmed" for outcome in outcomes)
    size = len(moves)
    best = sorted(alone)[len(alone) // 2] / 1e6  # the median
    print(f"upcoming({size}): {sorted(packing)[len(packing) // 2] * 1000:.1f} ms")
    print(f"script alone: {best * 1000:.1f} ms per {size}, {size / best:,.0f} moves/s")
    idle = sorted(history)[len(history) // 2] / 1e3
    print(f"its history, in an idle moment: {idle:.1f} ms per {size}")
    middle = sorted(whole)[len(whole) // 2]
    print(f"publish: {middle * 1000:.1f} ms per {size}, {size / middle:,.0f} moves/s")
    keys = list(client.scan_iter(f"{prefix}*", count=10_000))
    client.unlink(*keys)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in [*sys.argv[2:], "20000", "20"][:2]))
