"""A day of production under the fake clock, held to counts: what is asked of store and schedules.

Times differ from machine to machine and counts do not: a call more per occurrence, or per entry
that is not due, fails here long before anybody measures it.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import event

from beatd.catalog import Change
from beatd.definition import codec, entry_from
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.engine.batch_size import BATCHES_A_TICK, batches_of
from beatd.planning import first
from beatd.schedules.cron import Cron
from beatd.stores.sql import SqlStore
from tests.fake_clock import FakeClock
from tests.fleet import Fleet

MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
LEAD = timedelta(seconds=10)
BATCH = 1000
IDLE_STATEMENTS, BATCH_STATEMENTS = 6, 11  # a transaction's beginning counts
# Of a thousand entries: 820 run daily, on the hour more often than not; 130 hourly; 49 each
# quarter of an hour; and one each minute.
DAILY, HOURLY, QUARTERLY = 820, 950, 999


def cron_of(n: int) -> str:
    place = n % 1000
    if place < DAILY:
        minute = 0 if n % 3 else n // 1000 * 7 % 60
        return f"{minute} {n % 24} * * *"
    if place < HOURLY:
        return f"{0 if n % 2 else n % 60} * * * *"
    return "*/15 * * * *" if place < QUARTERLY else "* * * * *"


def moments_of(n: int, hours: int) -> Iterator[tuple[int, int]]:
    """The hours and minutes of its runs in so many hours from midnight."""
    minute, hour, *_ = cron_of(n).split()
    step = {"*": 1, "*/15": 15}.get(minute)
    for at in range(hours) if hour == "*" else [int(hour)] if int(hour) < hours else []:
        for past in range(0, 60, step) if step else [int(minute)]:
            yield at, past


def due_in(size: int, hours: int) -> Counter[tuple[int, int]]:
    """How many are due at each moment."""
    return Counter(moment for n in range(size) for moment in moments_of(n, hours))


def schedules(size: int) -> set[str]:
    return {cron_of(n) for n in range(size)}


def fill(store: Any, size: int, now: datetime) -> None:
    entries = [entry_from(f"entry-{n}", {"task": "t", "cron": cron_of(n)}) for n in range(size)]
    for start in range(0, size, 5000):
        batch = [Change(e.name, 0, e, first(e, now)) for e in entries[start : start + 5000]]
        assert all(store.write(batch))


class Counted:
    """A store that counts what it is asked, and how much is asked at once."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()
        self.moves = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def counted(*args: Any, **more: Any) -> Any:
            self.calls[name] += 1
            if name == "claim":
                self.moves += len(args[0])
            return found(*args, **more)

        return counted


@pytest.fixture
def asked_of_schedules(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    asked: Counter[str] = Counter()
    really = Cron.next_after

    def next_after(self: Cron, moment: datetime) -> datetime | None:
        asked["next_after"] += 1
        return really(self, moment)

    monkeypatch.setattr(Cron, "next_after", next_after)
    return asked


@pytest.fixture
def statements() -> Iterator[Counter[str]]:
    """What every database is told, by its first two words."""
    told: Counter[str] = Counter()

    def listen(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        told[" ".join(statement.split()[:2]).lower()] += 1

    event.listen(Database, "before_cursor_execute", listen)
    yield told
    event.remove(Database, "before_cursor_execute", listen)


def live(store: Any, clock: FakeClock, span: timedelta) -> Fleet:
    fleet = Fleet(clock)
    fleet.store = store
    fleet.live([fleet.daemon()], MIDNIGHT + span - timedelta(seconds=1))
    return fleet


def batches_in(herd: int) -> int:
    """A tick takes four batches' worth; its first batches are small, so that nobody waits long."""
    tick = BATCH * BATCHES_A_TICK
    parts = [min(tick, herd - at) for at in range(0, herd, tick)]
    return sum(len(batches_of(range(part), BATCH, StepDispatch.first)) for part in parts)


@pytest.mark.parametrize(
    ("size", "hours"), [(5_000, 6), pytest.param(100_000, 24, marks=pytest.mark.long)]
)
def test_a_day_costs_what_is_due_and_not_what_exists(
    size: int, hours: int, asked_of_schedules: Counter[str]
) -> None:
    clock = FakeClock((MIDNIGHT - LEAD).isoformat())
    plain = Fleet(clock).store
    fill(plain, size, clock.now())
    store = Counted(plain)
    asked_of_schedules.clear()
    fleet = live(store, clock, timedelta(hours=hours))
    seconds, due = hours * 3600 + LEAD.seconds, due_in(size, hours)
    assert len(fleet.broker.arrived) == sum(due.values())

    # Each moment is claimed once and recorded once, in as few batches as hold it, and nothing is
    # claimed in vain.
    fewest = sum(batches_in(many) for many in due.values())
    assert store.moves == sum(due.values())
    assert store.calls["claim"] == store.calls["record"] == fewest

    # The plan is read again when what was read ahead ran out, and not once per moment or second.
    assert store.calls["upcoming"] <= 20 + sum(due.values()) // 5_000
    # An idle second costs one look each at the version, at what is in doubt, and at requests.
    for look in ("version", "unknowns", "requests"):
        assert store.calls[look] <= seconds + 1
    # Whether any plan waits for the end of a run is read once, at the start of the lead.
    assert store.calls["running"] == 1
    known = {"claim", "record", "upcoming", "version", "unknowns", "requests", "begin", "running"}
    assert set(store.calls) <= known, "a tick asks for something new: is it worth its price?"

    # Entries that share a schedule share its computation, herd by herd.
    distinct = len({(cron_of(n), moment) for n in range(size) for moment in moments_of(n, hours)})
    assert asked_of_schedules["next_after"] <= 1.1 * distinct + len(schedules(size))


def test_midnight_on_sqlite_costs_statements_by_the_batch(
    tmp_path: Path, statements: Counter[str]
) -> None:
    size = 3_000
    clock = FakeClock((MIDNIGHT - LEAD).isoformat())
    store = SqlStore(f"sqlite:///{tmp_path}/day.db", codec=codec)
    try:
        fill(store, size, clock.now())
        statements.clear()
        fleet = live(store, clock, timedelta(minutes=20))
    finally:
        store.close()
    seconds = 20 * 60 + LEAD.seconds
    due = {at: many for at, many in due_in(size, 1).items() if at < (0, 20)}
    assert len(fleet.broker.arrived) == sum(due.values())
    fewest = sum(-(-many // BATCH) for many in due.values())
    told = sum(statements.values())
    assert told <= IDLE_STATEMENTS * seconds + BATCH_STATEMENTS * fewest, statements
