"""What the stores cost with 1,000, 100,000 and 1,000,000 entries in them.

    python bench/stores.py sqlite:////tmp/bench.db postgresql://postgres@127.0.0.1/bench …

Each URL names an empty store; what is measured is what commands and daemons do: open it, add one
entry, list what is due within a minute, read the next thousand, claim and record a thousand. With
`--json FILE` the figures go there too.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from beatd.catalog import Change, Plan, Query
from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.entry import Entry
from beatd.leader import Holder
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id
from beatd.store import Store
from beatd.wiring.backends import open_store

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
DUE_SOON = 100  # within the minute, whatever the number of entries
BATCH = 1000
LOADED_AT_ONCE = 10_000
NEW = itertools.count()


def planned(moment: datetime) -> Plan:
    return Plan(moment, moment, "0123456789abcdef", "2026a/1")


def entry(number: int) -> Entry:
    plain = {
        "task": f"proj.tasks.job{number % 97}",
        "cron": f"{number % 60} */2 * * *",
        "tz": "Europe/Berlin",
        "args": [number, "x"],
        "kwargs": {"full": True},
        "options": {"queue": "feed_task", "priority": 5, "expires": 3600},
    }
    return entry_from(f"entry-{number:07}", plain, source="cli")


def moment(number: int) -> datetime:
    if number < DUE_SOON:
        return NOON + timedelta(seconds=number * 0.5)
    return NOON + timedelta(seconds=120 + number)


def fill(store: Store, start: int, end: int) -> None:
    for first in range(start, end, LOADED_AT_ONCE):
        numbers = range(first, min(end, first + LOADED_AT_ONCE))
        changes = [
            Change(made.name, 0, made, planned(moment(number)))
            for number, made in ((number, entry(number)) for number in numbers)
        ]
        assert all(store.write(changes)), "the store is not empty"


def timed(work: Callable[[], Any], times: int) -> list[float]:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return took


def cases(store: Store, url: str) -> Iterator[tuple[str, list[float]]]:
    term = store.begin(Holder("bench", "host", 1, NOON, "bench"))

    def open_it() -> None:
        opened(url).close()

    def add() -> None:
        made = entry(10_000_000 + next(NEW))
        assert store.write([Change(made.name, 0, made, planned(NOON + timedelta(days=900)))])[0]

    def edit() -> None:
        (row,) = store.find(Query(names=("entry-0000500",)))
        assert store.write([Change(row.entry.name, row.revision, row.entry)])[0]

    def due_within() -> None:
        soon = Query(due_before=NOON + timedelta(minutes=1), order="next")
        assert len(list(store.find(soon))) == DUE_SOON

    def coming() -> None:
        assert len(store.upcoming(BATCH)) == BATCH

    def batch() -> tuple[float, float]:
        rows = store.upcoming(BATCH)
        moves = []
        for row in rows:
            seen = row.plan.planned
            assert seen is not None
            what = Occurrence(row.entry.name, seen, "")
            run = Run(what, task_id(store.namespace, what), row.entry, row.revision, seen)
            then = seen + timedelta(microseconds=1)
            moves.append(
                Move(
                    of="plan",
                    name=what.name,
                    revision=row.revision,
                    seen=seen,
                    plan=planned(then),
                    run=run,
                    counts=1,
                )
            )
        started = time.perf_counter()
        assert all(store.claim(moves, term, NOON))
        middle = time.perf_counter()
        store.record([Result(m.run, Outcome("confirmed"), NOON) for m in moves if m.run])
        return middle - started, time.perf_counter() - middle

    yield "open", timed(open_it, 5)
    yield "version", timed(store.version, 20)
    yield "add one", timed(add, 20)
    yield "edit one", timed(edit, 20)
    yield "due within 1m", timed(due_within, 10)
    coming()  # definitions are decoded once
    yield "next 1000", timed(coming, 10)
    both = [batch() for _ in range(12)][2:]
    yield "claim 1000", [claim for claim, _ in both]
    yield "record 1000", [record for _, record in both]
    yield "claim+record", [claim + record for claim, record in both]


def opened(url: str) -> Store:
    return open_store(url, codec=codec, clock=SystemClock())


def of_store(url: str, sizes: list[int]) -> dict[str, Any]:
    label = url.split(":", 1)[0]
    store = opened(url)
    found: dict[str, Any] = {}
    have = 0
    for size in sizes:
        started = time.perf_counter()
        fill(store, have, size)
        loaded = time.perf_counter() - started
        found[str(size)] = {"load (entries/s)": round((size - have) / loaded) if loaded else None}
        have = size
        for name, took in cases(store, url):
            found[str(size)][name] = {
                "median_ms": round(statistics.median(took) * 1000, 3),
                "min_ms": round(min(took) * 1000, 3),
                "max_ms": round(max(took) * 1000, 3),
            }
        print(f"{label}: {size:,} entries done", file=sys.stderr)
    store.close()
    return {"store": label, "sizes": found}


def table(results: list[dict[str, Any]]) -> str:
    lines = []
    for one in results:
        sizes = list(one["sizes"])
        lines.append(f"{one['store']:<16}" + "".join(f"{int(size):>14,}" for size in sizes))
        names = list(one["sizes"][sizes[0]])
        for name in names:
            cells = []
            for size in sizes:
                value = one["sizes"][size][name]
                cell = f"{value['median_ms']:.2f} ms" if isinstance(value, dict) else f"{value:,}"
                cells.append(f"{cell:>14}")
            lines.append(f"  {name:<14}" + "".join(cells))
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("urls", nargs="+", metavar="URL", help="an empty store")
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    results = [of_store(url, sizes) for url in asked.urls]
    print(table(results))
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
