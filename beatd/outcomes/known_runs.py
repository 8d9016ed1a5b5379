"""Find the reports about runs of this store. A broker may also carry reports about the runs of
another store."""

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
    """Separates the runs of this store from the runs of others.

    The task id of a planned run is computed from its entry name and moment. The task id of a
    requested run (started by hand) is looked up in the store. The running runs are read first,
    because their end must never be missed, and then the newest records and open claims (runs
    claimed, but not recorded) of the entry.
    """

    def __init__(self, history: History, outcomes: Outcomes) -> None:
        self._history, self._outcomes = history, outcomes
        self._requested: dict[str, None] = {}  # task ids, oldest first

    def among(self, deliveries: Sequence[Delivery], namespace: UUID) -> list[Delivery]:
        """Return the deliveries whose run belongs to this store. Raise StoreError if the store must
        be read and fails."""
        others = [one for one in deliveries if not _is_planned(one, namespace)]
        self._look_up_running(self._unknown(others))
        self._look_up({one.name for one in self._unknown(others)})
        unknown = {one.task_id for one in self._unknown(others)}
        return [one for one in deliveries if one.task_id not in unknown]

    def _unknown(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        return [one for one in deliveries if one.task_id not in self._requested]

    def _look_up_running(self, deliveries: Sequence[Delivery]) -> None:
        """Read the running runs of the entries of these deliveries, and remember their task ids."""
        if deliveries:
            running = self._outcomes.running(list({one.name for one in deliveries}))
            self._requested.update(dict.fromkeys(run.task_id for run in running.values()))

    def _look_up(self, names: Iterable[str]) -> None:
        """Read the newest records of these entries, and remember their task ids. At most
        IDS_KEPT_MAX ids are remembered; the oldest ones are deleted."""
        for name in islice(sorted(names), ENTRIES_READ_MAX):
            for record in self._history.history(name, RECORDS_READ):
                if record.task_id:
                    self._requested.pop(record.task_id, None)
                    self._requested[record.task_id] = None
        for oldest in list(islice(self._requested, max(0, len(self._requested) - IDS_KEPT_MAX))):
            del self._requested[oldest]


def _is_planned(delivery: Delivery, namespace: UUID) -> bool:
    """Return True if the task id is the one of a planned run of this store."""
    return task_id(namespace, Occurrence(delivery.name, delivery.planned)) == delivery.task_id
