"""Put entries due hours from now into a store, by the functions that `beatd add` is made of.

    python bench/load_store.py STORE_URL ENTRIES [QUEUE]

Entry files are made for people: a million entries are a gigabyte of YAML. A program that has so
many writes them like this, in batches.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.edits.editing import in_batches, present
from beatd.edits.entry_change import added
from beatd.wiring.backends import open_store


def main(url: str, count: int, queue: str) -> None:
    clock = SystemClock()
    store = open_store(url, codec=codec, clock=clock)
    now = present(store, clock)
    started = time.perf_counter()
    for numbers in in_batches(range(count), 10_000):
        changes = []
        for n in numbers:
            far = datetime.now(UTC) + timedelta(hours=3, minutes=n % (20 * 60))
            plain = {"task": "t.herd", "cron": f"{far.minute} {far.hour} * * *", "args": [n]}
            plain["options"] = {"queue": queue}
            changes.append(added(entry_from(f"entry-{n}", plain, source="cli"), now, None))
        assert all(store.write(changes)), "the store is not empty"
    took = time.perf_counter() - started
    store.close()
    print(f"{count:,} entries in {took:.1f} s, {count / took:,.0f}/s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "celery")
