"""Write the results of reserved runs into the history, and end their reservations."""

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, delete, select

from beatd.ledger import Result
from beatd.run import micros
from beatd.stores.sql.claim import SqlClaiming
from beatd.stores.sql.history_rows import Line
from beatd.stores.sql.open_claims import Open, OpenBatch, of_run, origin_of
from beatd.stores.sql.tables import history

TOLD = select(history.c.id, history.c.state).where(
    history.c.name == bindparam("of_name"), history.c.task_id == bindparam("of_task")
)


class SqlRecording(SqlClaiming):
    def record(self, results: Sequence[Result]) -> None:
        by_task = {result.run.task_id: result for result in results}
        if by_task:
            mine = self._claims.remembered(by_task)
            left = self._db.write(partial(self._record, mine, by_task))
            self._claims.forget(batch.id for batch in mine)
            for batch in left:
                self._claims.remember(batch)

    def _record(
        self, mine: Sequence[OpenBatch], by_task: dict[str, Result], connection: Connection
    ) -> list[OpenBatch]:
        # Before the claims, in the order of `claim`, so that the two cannot block each other.
        self._lock_rejected(connection, by_task.values())
        lines: list[Line] = []
        left: list[OpenBatch] = []
        rest = dict(by_task)
        made_at: dict[str, int] = {}
        # `mine` are the batches of reserved runs that this process remembers. Those that still have
        # runs without a result are returned.
        for batch in mine:
            after, told = settled(batch, rest, made_at)
            as_it_was = len(after) == len(batch.runs) and after == batch.runs
            if as_it_was or self._claims.rewritten(connection, batch, after):
                lines += told
                for task_id in batch.runs:
                    rest.pop(task_id, None)
                if after:
                    version = batch.version + (0 if as_it_was else 1)
                    left.append(replace(batch, version=version, runs=after))
            else:
                made_at.update(dict.fromkeys(batch.runs, batch.claimed_at))
        if rest:
            lines += self._late(connection, rest, made_at)
        self._tell(connection, lines)
        self._end_rejected(connection, lines, by_task)
        return left

    def _lock_rejected(self, connection: Connection, results: Iterable[Result]) -> None:
        names = [
            result.run.occurrence.name
            for result in results
            if result.outcome.sent == "rejected" and result.run.entry.overlap != "allow"
        ]
        if names:
            self._running.lock(connection, names)

    def _end_rejected(
        self, connection: Connection, lines: Sequence[Line], by_task: dict[str, Result]
    ) -> None:
        rejected = [
            line
            for line in lines
            if line.state == "failed" and by_task[line.task_id].run.entry.overlap != "allow"
        ]
        # A run that was never sent does not run; an entry that waits for it becomes due.
        if rejected:
            task_ids = [line.task_id for line in rejected]
            self._running.end(connection, task_ids, max(line.at for line in rejected))

    def _late(
        self, connection: Connection, rest: dict[str, Result], made_at: dict[str, int]
    ) -> list[Line]:
        lines: list[Line] = []
        # These runs were reserved by another process, or their batches were changed since.
        # `made_at` has the time at which this process reserved each run.
        for batch in self._claims.locked(connection):
            held = {task_id: rest.pop(task_id) for task_id in batch.runs if task_id in rest}
            after, told = settled(batch, held, made_at)
            if after != batch.runs:
                self._claims.rewritten(connection, batch, after)
                lines += told
        for result in rest.values():
            if result.outcome.sent in ("confirmed", "rejected"):
                lines += self._closed_before(connection, result)
        return lines

    def _closed_before(self, connection: Connection, result: Result) -> list[Line]:
        run = result.run
        line = ended(of_run(run), result, term=0)
        key = {"of_name": run.occurrence.name, "of_task": run.task_id}
        told = connection.execute(TOLD, key).all()
        # The run is recorded already. A rejected message changes no record; a confirmed one
        # replaces any but "published".
        if told and (
            result.outcome.sent == "rejected" or any(r.state == "published" for r in told)
        ):
            return []
        # Without a claim and a row, the store went back in time or deleted them; the outcome is a
        # fact all the same, and replaces a row that says otherwise.
        if told:
            connection.execute(delete(history).where(history.c.id.in_([row.id for row in told])))
        return [line]


def settled(
    batch: OpenBatch, results: dict[str, Result], made_at: dict[str, int]
) -> tuple[dict[str, Open], list[Line]]:
    """Split a batch of reserved runs into runs without a final result, and history rows of the
    others.

    `made_at` maps a task id to the time, in microseconds since 1970, at which this process reserved
    the run. If it was reserved again since, only a confirmed result is final. Nothing is written.
    """
    left: dict[str, Open] = {}
    lines: list[Line] = []
    for task_id, run in batch.runs.items():
        result = results.get(task_id)
        if result is None:
            left[task_id] = run
            continue
        sent = result.outcome.sent
        # If the claim was made again since, the result is of the other one; only a confirmed
        # message is a fact for both.
        anew = result.claimed_at is not None and micros(result.claimed_at) != batch.claimed_at
        anew = anew or made_at.get(task_id, batch.claimed_at) != batch.claimed_at
        if sent == "confirmed" or (sent == "rejected" and not anew):
            lines.append(ended(run, result, batch.term))
        else:
            left[task_id] = replace(run, unsent=1) if sent == "unsent" and not anew else run
    return left, lines


def ended(run: Open, result: Result, term: int) -> Line:
    """Return the history row for a run whose message the broker confirmed or rejected.

    `term` is the number of the leader that reserved the run.
    """
    at = micros(result.at)
    if result.outcome.sent == "confirmed":
        late = (at - run.due) / 1_000_000
        return Line(
            run.name,
            run.planned,
            at,
            "published",
            "",
            run.task_id,
            at,
            late,
            term=term,
            origin=origin_of(run),
        )
    reason = result.outcome.reason.replace("\0", "")  # the words of a broker
    return Line(
        run.name,
        run.planned,
        at,
        "failed",
        reason,
        run.task_id,
        term=term,
        origin=origin_of(run),
    )
