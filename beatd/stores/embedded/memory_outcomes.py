"""Keep how published runs ended, and which runs are running, in a store in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import TypeVar

from beatd.outcome import Delivery, EntryOutcome, OutcomeState, Written
from beatd.run import Running
from beatd.run_outcome import by_age
from beatd.stores.embedded.delivery_writes import write_deliveries
from beatd.stores.embedded.memory_part import MemoryPart
from beatd.stores.embedded.running_runs import prolong

Row = TypeVar("Row")


class MemoryOutcomes(MemoryPart):
    def write_outcomes(self, deliveries: Sequence[Delivery], at: datetime) -> Sequence[Written]:
        with self._writing():
            running = len(self._tables.running)
            written = write_deliveries(self._tables, deliveries, at)
            some_ended = len(self._tables.running) < running
        if some_ended:
            self._wake()
        return written

    def outcomes(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[Delivery]]:
        with self._reading():
            found = self._tables.deliveries
            return {id: sorted(found[id].values(), key=by_age) for id in task_ids if id in found}

    def entry_outcomes(self, names: Sequence[str] | None) -> Mapping[str, EntryOutcome]:
        with self._reading():
            return _of(self._tables.outcomes, names)

    def entry_outcomes_in(self, states: Collection[OutcomeState]) -> Mapping[str, EntryOutcome]:
        with self._reading():
            found = self._tables.outcomes.items()
            return {name: outcome for name, outcome in found if outcome.newest.state in states}

    def live_deliveries(self, limit: int) -> Sequence[Delivery]:
        with self._reading():
            found = self._tables.deliveries
            live = (found[task_id][delivery] for task_id, delivery in self._tables.live)
            return nsmallest(limit, live, key=by_age)

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        with self._reading():
            return _of(self._tables.running, names)

    def prolong(self, task_ids: Sequence[str], until: datetime) -> None:
        with self._writing():
            prolong(self._tables, task_ids, until)


def _of(rows: Mapping[str, Row], names: Sequence[str] | None) -> dict[str, Row]:
    return {name: rows[name] for name in (rows if names is None else names) if name in rows}
