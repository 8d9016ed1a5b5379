"""Messages of workers about the runs that they received, from a broker that anybody may reach."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from beatd.daemon.outcome_thread import OutcomeThread
from beatd.definition import codec
from beatd.events import Event
from beatd.observers.metrics import Metrics
from beatd.outcomes.report_reader import ReportReader
from beatd.report import Report, Reports, encode
from beatd.run import Occurrence, task_id
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.fuzz.target import Call, Target
from tests.stores.making import NOON, claimed, lead, put_many, told

NAMESPACE = UUID(int=1)
NAMES = ("a", "b", "c d")


class _Queue:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def read(self, limit: int) -> Sequence[bytes]:
        bodies, self.bodies = self.bodies[:limit], self.bodies[limit:]
        return bodies

    def acknowledge(self) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def _opened(_: Path) -> Iterator[Call]:
    clock = FakeClock(NOON.isoformat())
    store = MemoryStore(codec=codec, clock=clock)
    store.write_identity(NAMESPACE, None)
    term = lead(store)
    for stored in put_many(store, NAMES):
        store.record([told(claimed(store, stored, term))])
    queue, metrics, events = _Queue(), Metrics(), list[Event]()

    def tell(event: Event) -> None:
        metrics(event)
        events.append(event)

    thread = OutcomeThread(
        reader=ReportReader(lambda: queue), store=Roles.of(store), clock=clock, nth_lead=lambda: 1,
        wake=lambda: None, rest=lambda seconds: None, tell=tell, queue_of=lambda entry: "",
    )  # fmt: skip

    def call(data: bytes) -> str:
        queue.bodies.append(data)
        events.clear()
        clock.advance(seconds=1)
        thread.turn()
        if clock.now() > NOON + timedelta(days=30):
            clock.step(days=-30)
        list(store.outcomes([id_of(name) for name in NAMES]).values())
        store.entry_outcomes(None)
        store.running(None)
        return " ".join(sorted(_shown(event) for event in events))

    yield call


def _shown(event: Event) -> str:
    counts = [getattr(event, name, 0) for name in ("unreadable", "unknown", "late")]
    states = [one.state for one in getattr(event, "deliveries", ())]
    return f"{type(event).__name__} {[min(count, 3) for count in counts]} {states[:4]}"


def id_of(name: str) -> str:
    return task_id(NAMESPACE, Occurrence(name, NOON))


def _reports() -> Iterator[bytes]:
    for place, state in enumerate(
        ("received", "started", "succeeded", "failed", "retried", "revoked")
    ):
        name = NAMES[place % len(NAMES)]
        yield _body(name, state, NOON + timedelta(seconds=place))
        yield _body(name, state, datetime.max.replace(tzinfo=NOON.tzinfo) - timedelta(days=1))
    yield b'{"worker": "w", "held": [["%b", "d"]], "dropped": 7}' % id_of("a").encode()


def _body(name: str, state: str, at: datetime) -> bytes:
    report = Report(
        id=id_of(name), delivery="d", entry=name, planned=NOON, state=state, at=at, error="E: x",  # type: ignore[arg-type]
    )  # fmt: skip
    return encode(Reports(worker="celery@w", reports=(report,), held=((id_of(name), "d"),)))


TARGETS = (
    Target(
        name="reports", about="messages of workers about runs, read and written into a store",
        seeds=_reports, opened=_opened, weight=2,
        words=("received", "started", "succeeded", "failed", "lost", "retried", "reports", "held", "dropped", "worker", *NAMES, *(id_of(name) for name in NAMES)),
    ),
)  # fmt: skip
