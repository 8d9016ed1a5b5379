"""django-celery-beat's tables as a store, looked at and run by hand."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

from beatd.catalog import Query, Stored
from beatd.catch_up import settle
from beatd.definition import codec
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id
from beatd.sources.django_mirror import DjangoMirror
from beatd.sources.django_rows import DjangoRows
from beatd.stores.django import DjangoStore
from beatd.unapplied import NOTHING_WAITS
from beatd.wiring import backends
from tests import waiting
from tests.fake_clock import FakeClock


class Live:
    """A store on Django's database and the mirror that keeps it, moved on by hand."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock(datetime.now(UTC).isoformat())
        self.url = url
        store = backends.open_store(f"django-celery-beat+{url}", codec=codec, clock=self.clock)
        assert isinstance(store, DjangoStore)
        self.store = store
        self.ran = 0
        self.others = Mock(
            return_value=False, conflicts=list, digest=str, unapplied=lambda term: NOTHING_WAITS
        )
        self.mirror = self.anew()

    def anew(self) -> DjangoMirror:
        rows = DjangoRows(self.url)
        mirror = DjangoMirror(rows, self.others, timezone="UTC", name="config", clock=self.clock)
        mirror.row_state = self.store
        return mirror

    def restart(self) -> None:
        self.mirror._rows.close()
        self.mirror = self.anew()

    def look(self, seconds: float = 1.0) -> dict[str, Stored]:
        self.clock.advance(seconds=seconds)
        self.mirror(self.store, True)
        return {row.entry.name: row for row in self.store.find(Query())}

    def now(self, host: datetime | None = None) -> datetime:
        """The store's time, or the host's where the store has no clock."""
        there = self.store.now()
        return (host or self.clock.now()) if there is None else there.moment

    def wait_until(self, moment: datetime) -> None:
        """Return when the clock that the store goes by is past the moment."""
        waiting.until(lambda: self.now(datetime.now(UTC)) > moment, 10, f"it is {moment}")
        self.clock.move_to(max(datetime.now(UTC), moment))

    def run(self, name: str, at: datetime | None = None) -> Run:
        """Claim the next moment of an entry and have it confirmed, as a leader would."""
        run = self.claim(name)
        self.ran += 1
        moment = at or run.occurrence.planned + timedelta(seconds=self.ran)
        self.store.record([Result(run, Outcome("confirmed"), moment)])
        return run

    def claim(self, name: str) -> Run:
        (row,) = self.store.find(Query(names=(name,)))
        planned = row.plan.planned
        assert planned is not None
        occurrence = Occurrence(name, planned)
        run = Run(
            occurrence, task_id(self.store.namespace, occurrence), row.entry, row.revision, planned
        )
        settled = settle(row, planned)
        move = Move(
            of="plan", name=name, revision=row.revision, seen=planned, plan=settled.plan, run=run,
            counts=1,
        )  # fmt: skip
        term = self.store.begin(backends.own_holder("t", datetime.now(UTC)))
        assert list(self.store.claim([move], term, datetime.now(UTC))) == [True]
        return run

    def close(self) -> None:
        self.mirror._rows.close()
        self.store.close()
