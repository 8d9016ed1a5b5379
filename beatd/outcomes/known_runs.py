"""Find out which runs are of this store, because a broker may carry reports of another one's."""

from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import UUID

from beatd.ledger import History
from beatd.outcome import Delivery, Outcomes
from beatd.run import Occurrence, task_id

RECORDS_READ = 200  # of each entry, with its open claims
ENTRIES_READ_MAX = 50  # for one batch; reports of other stores must not cost more
IDS_KEPT_MAX = 20_000


class KnownRuns:
    """Separates the runs of this store from those of others.

    The task id of a planned run is computed from its name and moment. That of a requested run is
    looked for among the running runs, whose end must never be missed, and then among the newest
    records and open claims of its entry.
    """

    def __init__(self, history: History, outcomes: Outcomes) -> None:
        self._history, self._outcomes = history, outcomes
        self._requested: dict[str, None] = {}  # task ids, oldest first

    def among(self, deliveries: Sequence[Delivery], namespace: UUID) -> list[Delivery]:
        """Return the deliveries whose run is one of this store. Raise StoreError if the store must
        be read and fails."""
        others = [one for one in deliveries if not _is_planned(one, namespace)]
        self._look_up_running(self._unknown(others))
        self._look_up({one.name for one in self._unknown(others)})
        unknown = {one.task_id for one in self._unknown(others)}
        return [one for one in deliveries if one.task_id not in unknown]

    def _unknown(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        return [one for one in deliveries if one.task_id not in self._requested]

    def _look_up_running(self, deliveries: Sequence[Delivery]) -> None:
        """Remember the task ids of these deliveries that are those of running runs."""
        if deliveries:
            running = self._outcomes.running(list({one.name for one in deliveries}))
            self._requested.update(dict.fromkeys(run.task_id for run in running.values()))

    def _look_up(self, names: Iterable[str]) -> None:
        """Remember the task ids of the newest records of these entries."""
        for name in islice(sorted(names), ENTRIES_READ_MAX):
            for record in self._history.history(name, RECORDS_READ):
                if record.task_id:
                    self._requested.pop(record.task_id, None)
                    self._requested[record.task_id] = None
        for oldest in list(islice(self._requested, max(0, len(self._requested) - IDS_KEPT_MAX))):
            del self._requested[oldest]


def _is_planned(delivery: Delivery, namespace: UUID) -> bool:
    """True if the task id is that of a planned run of this store."""
    return task_id(namespace, Occurrence(delivery.name, delivery.planned)) == delivery.task_id
