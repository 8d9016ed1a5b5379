"""Write the states of runs that workers reported to the store, and emit events about them."""

from collections.abc import Callable, Sequence

from beatd.clock import Clock
from beatd.daemon.canvas_runs import CanvasRuns
from beatd.daemon.failed_runs import FailedRuns
from beatd.events import Observer, OutcomesRead
from beatd.outcome import DELIVERY_ENDS, RUN_ENDS, Delivery
from beatd.outcomes.deliveries import not_after
from beatd.outcomes.known_runs import KnownRuns
from beatd.outcomes.lost_runs import LostRuns
from beatd.outcomes.outcome_reader import OutcomeBatch
from beatd.store import Roles

WRITTEN_MAX = 200  # deliveries of one transaction; another one may wait for its locks
SHORTEST_REST_S, LONGEST_REST_S = 0.01, 0.5  # after a full one


class OutcomeWriter:
    """Writes reports of workers about runs, called deliveries, to the store.

    The reports are also passed to `live`, which finds lost runs. `wake` is called when a run that
    counted as running has ended. `rest` waits some seconds between two transactions. `tell`
    receives the events.
    """

    def __init__(
        self,
        *,
        store: Roles,
        live: LostRuns,
        clock: Clock,
        wake: Callable[[], None],
        rest: Callable[[float], None],
        tell: Observer,
    ) -> None:
        self._store, self._live, self._clock = store, live, clock
        self._wake, self._rest, self._tell = wake, rest, tell
        self._known, self._failed = KnownRuns(store.history, store.outcomes), FailedRuns()
        self._started = 0  # as the last event had it
        self._batch: OutcomeBatch | None = None  # that is not completely written
        self._runs = CanvasRuns(store.outcomes)
        self._left, self._written = list[Delivery](), list[Delivery]()  # of this batch
        self._of_batch = 0  # its deliveries of runs that this store knows
        self._wakes = False  # once the deliveries are written

    def write(self, batch: OutcomeBatch) -> None:
        """Write the reports about runs that this store knows, and emit an event about the batch.

        Raise StoreError if the store fails; a second call with the same batch then writes the rest.
        """
        if batch is not self._batch:
            self._live.name(batch.held)
            known = self._known.among(batch.deliveries, self._store.ledger.namespace)
            now = self._clock.now()
            self._left = [self._live.completed(not_after(delivery, now)) for delivery in known]
            self._batch, self._of_batch, self._written = batch, len(known), []
        while self._left:
            self._written += self._write_some(self._left[:WRITTEN_MAX])
            del self._left[:WRITTEN_MAX]
        event = OutcomesRead(
            deliveries=self._runs.changed(self._written),
            late=self._of_batch - len(self._written),
            unknown=len(batch.deliveries) - self._of_batch,
            dropped=batch.dropped,
            unreadable=batch.unreadable,
            started=self._live.started,
        )
        self._batch = None
        if not batch.is_empty or event.started != self._started:
            self._emit(event)

    def write_lost(self, deliveries: Sequence[Delivery]) -> None:
        """Write the reports about lost runs to the store, and emit an event for each transaction.

        Raise StoreError if the store fails.
        """
        for start in range(0, len(deliveries), WRITTEN_MAX):
            written = self._write_some(deliveries[start : start + WRITTEN_MAX])
            self._emit(
                OutcomesRead(deliveries=self._runs.changed(written), started=self._live.started)
            )

    def _write_some(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        # The result has only deliveries that changed the store. A pause follows a full transaction.
        began = self._clock.elapsed()
        # A write whose reply was lost is tried again, and then these runs have ended before it.
        self._wakes |= self._ends_running(deliveries)
        written = self._store.outcomes.write_outcomes(deliveries, self._clock.now())
        if self._wakes:
            self._wakes = False
            self._wake()
        for one, how in zip(deliveries, written, strict=True):
            if how == "written" or one.state in DELIVERY_ENDS:
                self._live.note([one])
        if len(deliveries) == WRITTEN_MAX:
            # As long as the transaction took: the ticks need the store, and the core.
            took = self._clock.elapsed() - began
            self._rest(min(LONGEST_REST_S, max(SHORTEST_REST_S, took)))
        return [one for one, how in zip(deliveries, written, strict=True) if how == "written"]

    def emit_failures(self) -> None:
        """Emit an event about the failed runs, unless the last such event is less than 1 s old."""
        if (event := self._failed.event_at(self._clock.elapsed())) is not None:
            self._tell(event)

    def emit_idle(self) -> None:
        """Emit an event that no worker executes a run, if the last event reported such runs."""
        if self._started:
            self._emit(OutcomesRead())

    def _emit(self, event: OutcomesRead) -> None:
        self._started = event.started
        self._failed.add(event.deliveries, self._clock.elapsed())
        self._tell(event)

    def _ends_running(self, deliveries: Sequence[Delivery]) -> bool:
        ended = [one for one in deliveries if one.state in RUN_ENDS]
        if not ended:
            return False
        task_ids = {one.task_id for one in ended}
        running = self._store.outcomes.running(list({one.name for one in ended}))
        return any(run.task_id in task_ids for run in running.values())
