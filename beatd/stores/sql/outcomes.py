"""Write what workers report about runs, and end runs that are over, in a SQL store."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from beatd.catalog import Codec
from beatd.outcome import DELIVERY_ENDS, Delivery, EntryOutcome, OutcomeState, Written
from beatd.run import Running, micros
from beatd.run_outcome import by_age, run_ended
from beatd.stores.outcome_fold import entry_after, with_report
from beatd.stores.sql.database import Database
from beatd.stores.sql.deliveries import Deliveries
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.store_part import Part

# A delivery as it was (None: unknown) and as it is, and the other deliveries of the run.
Changed = tuple[Delivery | None, Delivery, list[Delivery]]


class SqlOutcomes(Part):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        self._deliveries = Deliveries(database.dialect, self._damage)

    def write_outcomes(self, deliveries: Sequence[Delivery], at: datetime) -> Sequence[Written]:
        written: list[Written] = []
        for start in range(0, len(deliveries), CHUNK):
            chunk = deliveries[start : start + CHUNK]
            written += self._write_anew(partial(self._write_outcomes, chunk, at))
        return written

    def _write_outcomes(
        self, deliveries: Sequence[Delivery], at: datetime, connection: Connection
    ) -> list[Written]:
        known: dict[str, dict[str, Delivery]] = {}
        task_ids = {one.task_id for one in deliveries}
        for old in self._deliveries.of_runs(connection, task_ids, lock=True):
            known.setdefault(old.task_id, {})[old.delivery] = old
        new: dict[tuple[str, str], Delivery] = {}
        changed: dict[tuple[str, str], Delivery] = {}
        changes: list[Changed] = []
        written: list[Written] = []
        for report in deliveries:
            of_run = known.setdefault(report.task_id, {})
            earlier = of_run.get(report.delivery)
            one = with_report(earlier, report)
            written.append("late" if one is None else "written")
            if one is None or one == earlier:
                continue
            key = one.task_id, one.delivery
            (new if earlier is None or key in new else changed)[key] = one
            of_run[one.delivery] = one
            changes.append((earlier, one, [each for each in of_run.values() if each is not one]))
        self._deliveries.write(connection, new.values(), changed.values())
        ended = {
            one.task_id
            for one in (*new.values(), *changed.values())
            if one.state in DELIVERY_ENDS and run_ended(known[one.task_id].values())
        }
        # Before the outcomes, as the removal of an entry: they never wait for each other.
        self._running.end(connection, ended, micros(at))
        self._write_entry_outcomes(connection, changes, at)
        return written

    def _write_entry_outcomes(
        self, connection: Connection, changes: Sequence[Changed], at: datetime
    ) -> None:
        names = {one.name for _, one, _ in changes}
        before = self._deliveries.outcomes(connection, names, lock=True) if names else {}
        after = dict(before)
        for earlier, one, others in changes:
            after[one.name] = entry_after(after.get(one.name), earlier, one, others, at)
        new = [after[name] for name in names if name not in before]
        known = [after[name] for name in names if name in before]
        self._deliveries.write_outcomes(connection, new, known)

    def outcomes(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[Delivery]]:
        found: dict[str, list[Delivery]] = {}
        wanted = list(dict.fromkeys(task_ids))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            read = partial(self._deliveries.of_runs, task_ids=chunk)
            for one in self._db.read(read):
                found.setdefault(one.task_id, []).append(one)
        return {task_id: sorted(all_, key=by_age) for task_id, all_ in found.items()}

    def entry_outcomes(self, names: Sequence[str] | None) -> Mapping[str, EntryOutcome]:
        if names is None:
            return self._db.read(partial(self._deliveries.outcomes, names=None), patient=True)
        found: dict[str, EntryOutcome] = {}
        wanted = sorted(set(names))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            found |= self._db.read(partial(self._deliveries.outcomes, names=chunk))
        return found

    def entry_outcomes_in(self, states: Collection[OutcomeState]) -> Mapping[str, EntryOutcome]:
        return self._db.read(partial(self._deliveries.outcomes_in, states=states), patient=True)

    def live_deliveries(self, limit: int) -> Sequence[Delivery]:
        return self._db.read(partial(self._deliveries.live, limit=limit))

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        return self._db.read(partial(self._running.runs, names=names))

    def prolong(self, task_ids: Sequence[str], until: datetime) -> None:
        for start in range(0, len(task_ids), CHUNK):
            chunk = task_ids[start : start + CHUNK]
            self._db.write(partial(self._running.prolong, task_ids=chunk, until=micros(until)))

    def _forget_deliveries(self, before: datetime, keep: int) -> None:
        cutoff = self._db.read(partial(self._deliveries.newest_beyond, keep=keep), patient=True)
        part = partial(
            self._deliveries.delete_oldest, before=micros(before), cutoff=cutoff, limit=CHUNK
        )
        while self._db.write(part) == CHUNK:
            pass
