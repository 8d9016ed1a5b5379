"""Write deliveries to the store, in small transactions, and emit what came of them."""

from collections.abc import Callable, Sequence
from itertools import islice

from beatd.clock import Clock
from beatd.daemon.failed_runs import FailedRuns
from beatd.events import Observer, OutcomesRead
from beatd.outcome import RUN_ENDS, Delivery
from beatd.outcomes.known_runs import KnownRuns
from beatd.outcomes.live_deliveries import LiveDeliveries
from beatd.outcomes.outcome_reader import OutcomeBatch
from beatd.store import Roles

WRITTEN_MAX = 200  # deliveries of one transaction; another one may wait for its locks
SHORTEST_REST_S, LONGEST_REST_S = 0.01, 0.5  # after a full one


class OutcomeWriter:
    """Writes the deliveries of batches, and notes them in `live`.

    `wake` starts a tick, because an entry has become due. `rest` waits some seconds between
    two transactions.
    """

    def __init__(
        self,
        *,
        store: Roles,
        live: LiveDeliveries,
        clock: Clock,
        wake: Callable[[], None],
        rest: Callable[[float], None],
        tell: Observer,
    ) -> None:
        self._store, self._live, self._clock = store, live, clock
        self._wake, self._rest, self._tell = wake, rest, tell
        self._known, self._failed = KnownRuns(store.history), FailedRuns()
        self._started = 0  # as the last event had it

    def write(self, batch: OutcomeBatch) -> None:
        """Write the deliveries of this store's runs, and emit an event about the batch.

        Raise StoreError if the store fails; to write a part again does no harm.
        """
        self._live.name(batch.held)
        known = self._known.among(batch.deliveries, self._store.ledger.namespace)
        written = self.write_known([self._live.completed(delivery) for delivery in known])
        event = OutcomesRead(
            deliveries=written,
            late=len(known) - len(written),
            unknown=len(batch.deliveries) - len(known),
            dropped=batch.dropped,
            unreadable=batch.unreadable,
            started=self._live.started,
        )
        if not batch.is_empty or event.started != self._started:
            self._emit(event)

    def write_lost(self, deliveries: Sequence[Delivery]) -> None:
        """Write the deliveries that are lost, and emit an event about them. Raise StoreError if
        the store fails."""
        if deliveries:
            written = self.write_known(deliveries)
            self._emit(OutcomesRead(deliveries=written, started=self._live.started))

    def write_known(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Write deliveries of this store's runs, and return those whose state was written."""
        changed: list[Delivery] = []
        left = iter(deliveries)
        while chunk := list(islice(left, WRITTEN_MAX)):
            began = self._clock.elapsed()
            wakes = self._ends_a_wait(chunk)
            written = self._store.outcomes.write_outcomes(chunk, self._clock.now())
            if wakes:
                self._wake()
            self._live.note(chunk)
            changed += (one for one, how in zip(chunk, written, strict=True) if how == "written")
            if len(chunk) == WRITTEN_MAX:
                # As long as the transaction took: the ticks need the store, and the core.
                took = self._clock.elapsed() - began
                self._rest(min(LONGEST_REST_S, max(SHORTEST_REST_S, took)))
        return changed

    def emit_failures(self) -> None:
        """Emit the runs that failed, unless that was done within the last second."""
        if (event := self._failed.take(self._clock.elapsed())) is not None:
            self._tell(event)

    def emit_idle(self) -> None:
        """Emit that no run is executed now, as far as this daemon knows: it does not lead."""
        if self._started:
            self._emit(OutcomesRead())

    def _emit(self, event: OutcomesRead) -> None:
        self._started = event.started
        self._failed.add(event.deliveries)
        self._tell(event)

    def _ends_a_wait(self, deliveries: Sequence[Delivery]) -> bool:
        """True if the plan of an entry waits for the end of one of these runs."""
        ended = {one.name: one.task_id for one in deliveries if one.state in RUN_ENDS}
        if not ended:
            return False
        running = self._store.outcomes.running(list(ended))
        return any(run.waits for run in running.values())
