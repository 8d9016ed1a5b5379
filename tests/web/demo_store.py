"""A store with sixty entries and their past, for tests of pages and to look at them.

`python -m tests.web.serve_demo` serves its pages. Its entries do not run.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from beatd.catalog import Query
from beatd.changes import Author
from beatd.definition import entry_from
from beatd.edits.editing import patch, remove
from beatd.edits.entry_change import added
from beatd.edits.patch import patch_of
from beatd.edits.pausing import pause, resume
from beatd.entry import Entry
from beatd.history import Record
from beatd.incident import Incident
from beatd.leader import Holder
from beatd.marks import Mark
from beatd.outcome import Delivery
from beatd.planning import next_moment
from beatd.presence import Presence
from beatd.run import Occurrence, task_id
from beatd.store import WrittenRecord

ANN = Author("ann@ops-1", "command")
BOB = Author("bob (token)", "page")
RUNS_MAX = 40
HERD = 12
#: Name -> definition; names with "shop" are declared in a file.
SOME: dict[str, dict[str, Any]] = {
    "billing.close-day": {"task": "billing.tasks.close_day", "cron": "30 2 * * *"},
    "billing.send-invoices": {"task": "billing.tasks.send_invoices", "cron": "0 8 * * mon-fri"},
    "billing.collect": {"task": "billing.tasks.collect", "every": "15m"},
    "cache.warm": {"task": "cache.tasks.warm", "every": "5m"},
    "cache.purge": {"task": "cache.tasks.purge", "every": "30s"},
    "feed.pull-prices": {"task": "feed.tasks.pull", "every": "1m", "args": ["prices"]},
    "feed.pull-stock": {"task": "feed.tasks.pull", "every": "2m", "args": ["stock"]},
    "feed.pull-reviews": {"task": "feed.tasks.pull", "every": "10m", "args": ["reviews"]},
    "mail.digest": {"task": "mail.tasks.digest", "cron": "0 7 * * *", "tz": "Europe/Berlin"},
    "mail.retry-bounced": {"task": "mail.tasks.retry", "every": "20m"},
    "report.weekly": {"task": "report.tasks.weekly", "rrule": "FREQ=WEEKLY;BYDAY=FR;BYHOUR=17"},
    "report.month-end": {"task": "report.tasks.month", "cron": "0 3 L * *"},
    "search.reindex": {
        "task": "search.tasks.reindex", "every": "1h", "overlap": "skip", "max_run": "3h",
    },
    "lights.on": {
        "task": "lights.tasks.on",
        "solar": {"event": "sunset", "lat": 31.2, "lon": 121.5},
    },
    "one-off.migration": {"task": "ops.tasks.migrate", "at": "2027-01-01T09:00:00+08:00"},
    "backup.database": {"task": "ops.tasks.backup", "cron": "15 1 * * *"},
    "backup.verify": {"task": "ops.tasks.verify", "cron": "45 4 * * sun"},
    "session.tidy": {"task": "web.tasks.tidy_sessions", "crontab": {"minute": "*/10"}},
}  # fmt: skip
FAILING = {"feed.pull-reviews": 7, "billing.collect": 3, "backup.database": 1}
ERRORS = {
    "feed.pull-reviews": "ConnectionError: reviews.example: Name or service not known",
    "billing.collect": "TimeLimitExceeded: TimeLimitExceeded(600,)",
    "backup.database": "OSError: [Errno 28] No space left on device: '/backup/db.sql'",
}


def demo_entries() -> Iterator[Entry]:
    """Yield sixty entries of many kinds."""
    shops = ["amoy", "bremen", "cadiz", "delft", "essen", "fuji", "graz", "hull", "izmir", "jena"]
    plain = dict(SOME)
    for number in range(HERD):
        plain[f"herd.hourly-{number:02}"] = {"task": "herd.tasks.count", "cron": "0 * * * *"}
    for shop in shops:
        plain[f"shop.{shop}.orders"] = {"task": "shop.tasks.orders", "every": "5m"}
        plain[f"shop.{shop}.stock"] = {"task": "shop.tasks.stock", "cron": "7,37 * * * *"}
        plain[f"shop.{shop}.close"] = {"task": "shop.tasks.close", "cron": "0 20 * * 1-6"}
    for name, fields in sorted(plain.items()):
        declared = name.startswith("shop.")
        queue = {"options": {"queue": name.split(".")[0]}} if "." in name and not declared else {}
        yield entry_from(
            name,
            {**queue, **fields},
            timezone="Asia/Shanghai",
            source="yaml:config" if declared else "cli",
            declared_at="schedules/shops.yaml" if declared else "",
        )


def past_moments(entry: Entry, now: datetime) -> list[datetime]:
    """Return the last moments of an entry before `now`, at most RUNS_MAX, oldest first."""
    period = entry.schedule.period
    span = timedelta(microseconds=period * RUNS_MAX) if period else timedelta(days=30)
    found, moment = [], next_moment(entry, now - span)
    while moment is not None and moment < now:
        found.append(moment)
        moment = next_moment(entry, moment)
    return found[-RUNS_MAX:]


def past_of(entries: Iterable[Entry], now: datetime) -> dict[str, list[datetime]]:
    """Return the moments of each entry before `now`, by name."""
    return {entry.name: past_moments(entry, now) for entry in entries}


@cache
def past_of_demo(now: datetime) -> dict[str, list[datetime]]:
    return past_of(demo_entries(), now)


def fill(store: Any, now: datetime, entries: Sequence[Entry] = ()) -> None:
    """Write entries (by default those of the demo) and their past into an empty store."""
    chosen = list(entries) or list(demo_entries())
    moments = past_of(chosen, now) if entries else past_of_demo(now)
    pasts = [(entry, moments[entry.name]) for entry in chosen]
    store.write(
        [
            added(entry, now, ANN, runs=len(past), last=past[-1] if past else None)
            for entry, past in pasts
        ]
    )
    _write_runs(store, now, chosen, moments)
    if not entries:
        _change_some(store, now)
        _write_incidents(store, now)
    lead(store, now)


def lead(store: Any, now: datetime, **stats: float) -> None:
    """Announce a leader and a standby in the store."""
    for role, name in (("leader", "beat-1"), ("standby", "beat-2")):
        token = f"token-{name}"
        holder = Holder(name, f"{name}.example", 4242, now - timedelta(days=3, hours=4), token)
        if role == "leader":
            store.begin(holder)
        figures = {"tick_age": 0.2, "late_p50": 0.002, "late_p99": 0.011, **stats}
        problems = () if role == "leader" else ("schedules/new.yaml:3: entries.x: no schedule",)
        store.announce(
            Presence(holder, role, True, now, 0.004, "d1", figures, problems=problems),  # type: ignore[arg-type]
            86_400,
        )


def _write_runs(
    store: Any,
    now: datetime,
    entries: Sequence[Entry],
    moments: dict[str, list[datetime]],
) -> None:
    records, deliveries = [], []
    for entry in entries:
        chance = random.Random(entry.name)  # the same for each number of runs of the others
        usual = chance.choice((0.04, 0.4, 3.0, 40.0))
        past = moments[entry.name]
        for left, planned in zip(range(len(past) - 1, -1, -1), past, strict=True):
            made = _run(store.namespace, entry.name, planned, now, left, usual, chance)
            records.append(made[0])
            deliveries += made[1]
    records.sort(key=lambda one: one.published or one.planned)
    seen = Mark("demo", now, "begun")
    store.write_mark(seen)
    written = [WrittenRecord("", one.published or one.planned, one) for one in records]
    for start in range(0, len(written), 500):
        mark = Mark("demo", now, f"{start}")
        assert store.write_records(written[start : start + 500], mark, seen)
        seen = mark
    deliveries.sort(key=lambda one: one.at)
    for start in range(0, len(deliveries), 500):
        store.write_outcomes(deliveries[start : start + 500], now)


def _run(
    namespace: UUID,
    name: str,
    planned: datetime,
    now: datetime,
    left: int,
    usual: float,
    chance: random.Random,
) -> tuple[Record, list[Delivery]]:
    """Return the record of one run and its delivery; `left` runs of the entry follow it."""
    if name == "herd.hourly-11" and left == 0:
        return Record(name, planned, "failed", "NOT_FOUND - no exchange 'herd' in vhost '/'"), []
    if chance.random() < 0.03 and left >= FAILING.get(name, 0):
        return Record(name, planned, "skipped", "missed; only the latest was run"), []
    late = chance.choice((0.0, 0.001, 0.002, 0.004, 0.02))
    published = planned + timedelta(seconds=late)
    id = task_id(namespace, Occurrence(name, planned))
    record = Record(name, planned, "published", "", id, published, late, term=3)
    if name.startswith("herd.") and left > 25:
        return record, []
    runtime = usual * chance.uniform(0.5, 1.6)
    failed = left < FAILING.get(name, 0) or chance.random() < 0.01
    started = published + timedelta(milliseconds=12)
    running = name == "search.reindex" and left == 0
    finished = None if running else min(started + timedelta(seconds=runtime), max(started, now))
    delivery = Delivery(
        task_id=id,
        delivery=f"d-{name}-{left}",
        name=name,
        planned=planned,
        state="started" if running else "failed" if failed else "succeeded",
        at=finished or started,
        worker=f"celery@work-{chance.randint(1, 3)}",
        received=published,
        started=started,
        finished=finished,
        error=ERRORS.get(name, "ValueError: no rows") if failed and not running else "",
    )
    return record, [delivery]


def _change_some(store: Any, now: datetime) -> None:
    def at() -> datetime:
        return now

    pause(store, ["mail.digest"], at, Author("ann@ops-1", "command", "template is being rewritten"))
    until = now + timedelta(hours=2)
    why = Author("bob (token)", "page", "stock import runs until noon")
    pause(store, ["shop.delft.orders", "shop.delft.stock"], at, why, until=until)
    patch(store, "cache.warm", patch_of({"every": "10m"}), at, BOB)
    patch(store, "feed.pull-prices", patch_of({"options.queue": "fast", "jitter": "5s"}), at, ANN)
    patch(store, "one-off.migration", patch_of({"enabled": False}), at, ANN)
    resume(store, ["shop.delft.stock"], at, BOB)
    remove(store, ["herd.hourly-10"], Author("ann@ops-1", "command", "was a double of 09"))


def _write_incidents(store: Any, now: datetime) -> None:
    def ago(**by: float) -> datetime:
        return now - timedelta(**by)

    incidents = [
        Incident(
            kind="broker away", name="", opened=ago(days=2), closed=ago(days=2, minutes=-7),
            revision=1, observed="Connection refused", threshold="5 s", announced=ago(days=2),
        ),
        Incident(
            kind="late", name="cache.purge", opened=ago(days=2), closed=ago(days=2, minutes=-7),
            revision=1, observed="4 min late", threshold="1 min", cause="broker away",
        ),
        Incident(
            kind="failed", name="feed.pull-reviews", opened=ago(minutes=64), revision=1,
            observed=f"failed 7 times in a row: {ERRORS['feed.pull-reviews']}",
            threshold="1 failure", announced=ago(minutes=63),
        ),
        Incident(
            kind="failed", name="billing.collect", opened=ago(minutes=31), revision=1,
            observed=ERRORS["billing.collect"], threshold="2 failures",
        ),
    ]  # fmt: skip
    assert all(store.put_incidents(incidents))


def names_in(store: Any) -> list[str]:
    """Return the names of all entries, in order."""
    return [row.entry.name for row in store.find(Query())]
