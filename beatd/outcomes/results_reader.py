"""Read how runs ended from the result backend of the Celery app."""

import logging
from collections.abc import Callable, Iterable, Mapping

from celery import Celery
from msgspec import Struct

from beatd.clock import Clock
from beatd.outcome import RUN_ENDS, Delivery, OutcomeState
from beatd.outcomes.outcome_reader import OutcomeBatch
from beatd.outcomes.result_backend import Result, backend_trouble, results_of
from beatd.run import Occurrence
from beatd.store import Roles

log = logging.getLogger("beatd")

DELIVERY = "result"  # a result backend does not know of deliveries
ASKED_EVERY_S = 2.0
ASKED_MAX = 500  # results of one request
LIVE_READ_MAX = 5000
RECORDS_READ = 20  # of an entry, to find a run of it
ENDED_KEPT_MAX = 20_000
#: A retry goes on under the same id; a backend does not tell it from the first delivery.
STATES: Mapping[str, OutcomeState] = {
    "RECEIVED": "received",
    "STARTED": "started",
    "RETRY": "started",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "REVOKED": "revoked",
}


class Wanted(Struct, frozen=True):
    """A run whose result is still to be read, with the state that the store has of it so far."""

    occurrence: Occurrence
    state: OutcomeState | None = None


class ResultsReader:
    """Reads from the app's result backend, every ASKED_EVERY_S seconds, how runs ended.

    It reads only unfinished runs, and the newest run of each entry whose name `watched` returns.
    """

    hears_workers = False

    def __init__(
        self,
        *,
        app: Celery,
        store: Roles,
        clock: Clock,
        watched: Callable[[], Iterable[str]] = lambda: (),
    ) -> None:
        self._app, self._store, self._clock, self._watched = app, store, clock, watched
        self._asked_at = float("-inf")
        self._left: dict[str, Wanted] = {}  # by task id, still to be asked for
        self._occurrences: dict[str, Occurrence] = {}  # of the running runs
        self._ended: dict[str, None] = {}  # task ids whose end was read, oldest first
        self._read: list[Delivery] = []
        self._has_warned = False

    def read(self) -> OutcomeBatch:
        if not self._left:
            if self._clock.elapsed() - self._asked_at < ASKED_EVERY_S or not self._is_usable():
                return OutcomeBatch()
            self._asked_at = self._clock.elapsed()
            self._left = self._wanted()
        asked = dict(list(self._left.items())[:ASKED_MAX])
        results = results_of(self._app, list(asked))
        for task_id in asked:
            del self._left[task_id]
        self._read = [
            delivery
            for task_id, result in results.items()
            if (delivery := self._delivery(task_id, asked[task_id], result)) is not None
        ]
        return OutcomeBatch(deliveries=self._read, is_last=not self._left)

    def acknowledge(self) -> None:
        ends = (one.task_id for one in self._read if one.state in RUN_ENDS)
        self._ended.update(dict.fromkeys(ends))
        for oldest in list(self._ended)[: max(0, len(self._ended) - ENDED_KEPT_MAX)]:
            del self._ended[oldest]
        self._read = []

    def close(self) -> None:
        self._left, self._read, self._asked_at = {}, [], float("-inf")

    def _is_usable(self) -> bool:
        trouble = backend_trouble(self._app)
        if trouble and not self._has_warned:
            log.warning("nothing is known of what becomes of runs: %s", trouble)
        self._has_warned = bool(trouble)
        return not trouble

    def _wanted(self) -> dict[str, Wanted]:
        outcomes = self._store.outcomes
        wanted = {
            one.task_id: Wanted(Occurrence(one.name, one.planned), one.state)
            for one in outcomes.live_deliveries(LIVE_READ_MAX)
            if one.delivery == DELIVERY
        }
        occurrences: dict[str, Occurrence] = {}
        for name, running in outcomes.running(None).items():
            task_id = running.task_id
            found = self._occurrences.get(task_id) or self._occurrence(name, task_id)
            if found is not None:
                occurrences[task_id] = found
                wanted.setdefault(task_id, Wanted(found))
        self._occurrences = occurrences
        for name in self._watched():
            for record in self._store.history.history(name, RECORDS_READ):
                if record.state == "published" and record.task_id:
                    if record.task_id not in self._ended:
                        run = Occurrence(name, record.planned)
                        wanted.setdefault(record.task_id, Wanted(run))
                    break
        return wanted

    def _occurrence(self, name: str, task_id: str) -> Occurrence | None:
        for record in self._store.history.history(name, RECORDS_READ):
            if record.task_id == task_id:
                return Occurrence(name, record.planned)
        return None

    def _delivery(self, task_id: str, wanted: Wanted, result: Result) -> Delivery | None:
        state = STATES.get(result.state)
        if state is None or state == wanted.state:
            return None
        ended = state in RUN_ENDS
        at = (result.done if ended else None) or self._clock.now()
        return Delivery(
            task_id=task_id,
            delivery=DELIVERY,
            name=wanted.occurrence.name,
            planned=wanted.occurrence.planned,
            state=state,
            at=at,
            worker=result.worker,
            received=at if state == "received" else None,
            started=at if state == "started" else None,
            finished=at if ended else None,
            error=result.error,
        )
