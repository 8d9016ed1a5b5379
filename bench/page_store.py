"""Fill an empty store as an installation has it that has run for a while, for `bench/pages.py`.

Nine entries of ten are well. The newest run of each hundredth entry failed, one in fifty is paused,
one in fifty disabled. The entry BUSY has 10,000 records, each other entry about a hundred. A run
that the broker refused is rare, and the last one is long ago.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from beatd.changes import Author
from beatd.definition import entry_from
from beatd.edits.editing import in_batches, patch
from beatd.edits.entry_change import added
from beatd.edits.patch import patch_of
from beatd.edits.pausing import pause
from beatd.entry import Entry
from beatd.history import Record
from beatd.incident import Incident
from beatd.marks import Mark
from beatd.outcome import Delivery
from beatd.run import EPOCH
from beatd.store import WrittenRecord

BUSY = "app.entry-00000"
BUSY_RECORDS = 10_000
FILLED_AT = "bench pages"  # the key of the mark that says when
BATCH = 10_000
REFUSED_EVERY = 150_000  # records
ANN = Author("ann@ops-1", "command", "the shop is closed")
SOURCES = ("cli", "cli", "cli", "cli", "cli", "cli", "cli", "yaml:config", "yaml:config", "django")


def name_of(number: int) -> str:
    return f"app.entry-{number:05}"


def entry(number: int) -> Entry:
    """Return an entry that is due within a day; one of five runs each 5 to 60 minutes."""
    plain: dict[str, Any] = {
        "task": f"proj.tasks.job{number % 97}",
        "args": [number, "x"],
        "kwargs": {"full": True},
        "options": {"queue": f"queue-{number % 7}", "expires": 3600},
        "enabled": number % 50 != 7,
    }
    if number % 5 == 0:
        plain["every"] = ("5m", "15m", "30m", "1h")[number // 5 % 4]
    else:
        plain["cron"] = f"{number % 60} {number % 24} * * *"
    if number % 20 == 4:
        plain |= {"overlap": "skip", "max_run": "1h"}
    source = SOURCES[number % len(SOURCES)]
    declared = "schedules/shop.yaml" if source == "yaml:config" else ""
    return entry_from(
        name_of(number), plain, timezone="Europe/Berlin", source=source, declared_at=declared
    )


def fill(store: Any, entries: int, records: int) -> datetime:
    """Write the entries and their past; return the moment that the pages are to take for now."""
    now = (store.now().moment if store.now() else datetime.now(UTC)).replace(microsecond=0)
    for numbers in in_batches(range(entries), BATCH):
        last = now - timedelta(minutes=1)
        changes = [added(entry(n), now, ANN, runs=100, last=last) for n in numbers]
        assert all(store.write(changes)), "the store is not empty"
    _write_runs(store, entries, records, now)
    paused = [name_of(number) for number in range(9, entries, 50)]
    pause(store, paused[::2], lambda: now, ANN)
    pause(store, paused[1::2], lambda: now, ANN, until=now + timedelta(days=3))
    for number in range(1, min(entries, 4_000), 40):  # of the source cli
        patch(store, name_of(number), patch_of({"description": "edited"}), lambda: now, ANN)
    incidents = [
        Incident(
            kind="failed",
            name=name_of(n),
            opened=now - timedelta(minutes=n + 1),
            closed=None if n < 5 else now - timedelta(minutes=n),
            revision=1,
            observed="ValueError: no rows",
            threshold="1 failure",
        )
        for n in range(min(entries, 500))
    ]
    assert all(store.put_incidents(incidents))
    store.write_mark(Mark(FILLED_AT, now, "filled"))
    return now


def filled_at(store: Any) -> datetime | None:
    """Return the moment at which `fill` filled this store, or None if it did not."""
    mark: Mark | None = store.read_mark(FILLED_AT)
    return mark.at if mark is not None and mark.text == "filled" else None


def _write_runs(store: Any, entries: int, count: int, now: datetime) -> None:
    seen = Mark(FILLED_AT, now, "begun")
    store.write_mark(seen)
    runs = _runs(entries, count, now)
    done = 0
    while batch := list(islice(runs, BATCH)):
        done += len(batch)
        mark = Mark(FILLED_AT, now, str(done))
        written = [WrittenRecord("", one.published or one.planned, one) for one, _ in batch]
        assert store.write_records(written, mark, seen)
        store.write_outcomes([one for _, one in batch if one is not None], EPOCH)
        seen = mark


def _runs(entries: int, count: int, now: datetime) -> Iterator[tuple[Record, Delivery | None]]:
    """Yield the records of a week, the oldest first, each with its delivery."""
    gap = timedelta(days=7) / count
    busy_each = max(2, count // BUSY_RECORDS)
    for place in range(count):
        left = count - place  # 1: the newest
        number = 0 if left % busy_each == 0 else left % entries
        planned = now - gap * left
        if left % 40 == 3 and left > entries:
            yield Record(name_of(number), planned, "skipped", "missed; only the latest run"), None
            continue
        id = f"00000000-0000-4000-8000-{place:012x}"
        if left % REFUSED_EVERY == 0:
            reason = "NOT_FOUND - no exchange 'shop'"
            yield Record(name_of(number), planned, "failed", reason, id), None
            continue
        late = (0.001, 0.002, 0.004, 0.03)[place % 4]
        published = planned + timedelta(seconds=late)
        yield (
            Record(name_of(number), planned, "published", "", id, published, late, term=1),
            _delivery(name_of(number), planned, published, id, left, number),
        )


def _delivery(
    name: str, planned: datetime, published: datetime, id: str, left: int, number: int
) -> Delivery:
    failed = number % 100 == 1 or left % 1_000 == 500
    started = published + timedelta(milliseconds=12)
    finished = started + timedelta(seconds=0.05 * (1 + left % 17))
    return Delivery(
        task_id=id,
        delivery=f"d-{left}",
        name=name,
        planned=planned,
        state="failed" if failed else "succeeded",
        at=finished,
        worker=f"celery@work-{left % 3}",
        received=published,
        started=started,
        finished=finished,
        error="ValueError: no rows in the table of orders" if failed else "",
    )
