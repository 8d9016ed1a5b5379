"""Ignore reports about runs of other stores, which may use the same broker."""

from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import UUID

from beatd.history import History
from beatd.outcome import Delivery, Outcomes
from beatd.run import Occurrence, task_id

RECORDS_READ = 200  # of each entry, with its open claims
ENTRIES_READ_MAX = 50  # for one batch; reports of other stores must not cost more
IDS_KEPT_MAX = 20_000


class KnownRuns:
    """Recognizes the runs of this store, since the same broker may deliver reports about other
    runs.

    The id of a planned run is computed from its entry and time. The id of a run requested by hand
    is looked up among the running runs and the newest records of the entry.
    """

    def __init__(self, history: History, outcomes: Outcomes) -> None:
        self._history, self._outcomes = history, outcomes
        self._requested: dict[str, None] = {}  # task ids, oldest first

    def among(self, deliveries: Sequence[Delivery], namespace: UUID) -> list[Delivery]:
        """Return those of the workers' reports that are about a run of this store.

        Raises StoreError if the store cannot be read.
        """
        others = [one for one in deliveries if not _is_planned(one, namespace)]
        self._look_up_running(self._unknown(others))  # first: no end may be missed
        self._look_up({one.name for one in self._unknown(others)})
        unknown = {one.task_id for one in self._unknown(others)}
        return [one for one in deliveries if one.task_id not in unknown]

    def _unknown(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        return [one for one in deliveries if one.task_id not in self._requested]

    def _look_up_running(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            running = self._outcomes.running(list({one.name for one in deliveries}))
            self._requested.update(dict.fromkeys(run.task_id for run in running.values()))

    def _look_up(self, names: Iterable[str]) -> None:
        # At most IDS_KEPT_MAX ids are remembered.
        for name in islice(sorted(names), ENTRIES_READ_MAX):
            for record in self._history.history(name, RECORDS_READ):
                if record.task_id:
                    self._requested.pop(record.task_id, None)
                    self._requested[record.task_id] = None
        for oldest in list(islice(self._requested, max(0, len(self._requested) - IDS_KEPT_MAX))):
            del self._requested[oldest]


def _is_planned(delivery: Delivery, namespace: UUID) -> bool:
    return task_id(namespace, Occurrence(delivery.name, delivery.planned)) == delivery.task_id
