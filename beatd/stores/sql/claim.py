"""Reserve runs for the leading daemon before it sends them, so that no other daemon sends them.

Each change of a row is refused if another process has changed the row since it was read. A thousand
changes need only a few SQL statements.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, case, delete, or_, select, update

from beatd.catalog import Codec
from beatd.errors import Deposed
from beatd.leader import Term
from beatd.ledger import Move
from beatd.run import Origin, micros
from beatd.stores.sql.database import Database
from beatd.stores.sql.history_rows import leads, of_skip
from beatd.stores.sql.migrations import refuse_newer
from beatd.stores.sql.move_values import (
    at_revision,
    closed_task,
    counted_moment,
    one_per_name,
    plan_cells,
    request_id,
    skip_origin,
)
from beatd.stores.sql.open_claims import Open, OpenBatch, origin_of
from beatd.stores.sql.plan_moves import PlanMoves
from beatd.stores.sql.running_moves import RunningMoves
from beatd.stores.sql.tables import ledger, plan, request
from beatd.stores.sql.upcoming import SqlUpcoming

# For each move True if it was made, the new batch, and the ids of the batches that were reduced.
Done = tuple[list[bool], OpenBatch | None, list[int]]
FENCE = select(
    ledger.c.term, ledger.c.token, ledger.c.holder, ledger.c.version, ledger.c.serves
).with_for_update(read=True)


class SqlClaiming(SqlUpcoming):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        batch = database.dialect.batch
        self._move = PlanMoves(database.dialect)
        self._revisions = (
            select(plan.c.name, plan.c.revision)
            .join(self._names.relation, self._names.c.name == plan.c.name)
            .order_by(plan.c.name)
            .with_for_update(of=plan)
        )
        c = self._counts = batch(name="text", counts="int", last="int")
        newer = or_(plan.c.last.is_(None), plan.c.last < c.c.last)
        self._count = (
            update(plan)
            .where(plan.c.name == c.c.name)
            .values(runs=plan.c.runs + c.c.counts, last=case((newer, c.c.last), else_=plan.c.last))
        )

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        done = self._db.write(partial(self._claim, moves, term, micros(at)))
        return self._claimed(done, at)

    def _claimed(self, done: Done, at: datetime) -> Sequence[bool]:
        made, batch, emptied = done
        self._claimed_at = micros(at)
        self._claims.forget(emptied)
        if batch is not None:
            self._claims.remember(batch)
        return made

    def _claim(self, moves: Sequence[Move], term: Term, at: int, connection: Connection) -> Done:
        self._fence(connection, term)
        made = [False] * len(moves)
        running = RunningMoves(self._running, connection, moves, at)
        kinds: dict[str, list[int]] = {}
        for place, move in enumerate(moves):
            kinds.setdefault(move.of, []).append(place)
        for places in one_per_name(moves, kinds.get("plan", [])):
            self._plans(connection, moves, places, running, made)
        beside = kinds.get("request", []) + kinds.get("claim", [])
        emptied: list[int] = []
        origins: dict[str, Origin] = {}
        if beside:
            revisions = self._current(connection, [moves[place] for place in beside])
            self._requests(connection, moves, kinds.get("request", []), revisions, running, made)
            claims = kinds.get("claim", [])
            emptied = self._reclaim(connection, moves, claims, revisions, running, made, origins)
            self._add_counts(connection, [moves[place] for place in beside if made[place]])
        running.write()
        done = [move for move, ok in zip(moves, made, strict=True) if ok]
        return made, self._open(connection, done, term, at, origins), emptied

    def _fence(self, connection: Connection, term: Term) -> None:
        # The leader's row is locked, so that no other daemon can start to lead before the commit.
        row = connection.execute(FENCE).one_or_none()
        if row is None:
            raise Deposed(
                f"{self._db.where}: its row of {ledger.name} is gone; a new term makes it"
            )
        refuse_newer(self._db.where, row.version, row.serves)
        if (row.term, row.token) != (term.number, term.token):
            raise Deposed(
                f"{self._db.where}: its term is {row.term}, {leads(row.holder)}; "
                f"term {term.number} may not claim"
            )

    # moves by the kind of row that they change

    def _plans(
        self,
        connection: Connection,
        moves: Sequence[Move],
        places: list[int],
        running: RunningMoves,
        made: list[bool],
    ) -> None:
        places = [place for place in places if running.allow(moves[place])]
        if not places:
            return
        moved = self._move(connection, [plan_cells(moves[place]) for place in places])
        for place in places:
            if moves[place].name in moved:
                made[place] = True
                running.make(moves[place])

    def _current(self, connection: Connection, moves: Sequence[Move]) -> dict[str, int]:
        names = sorted({move.name for move in moves if move.run is not None or move.counts})
        # This locks the entries until the commit, so that no other process can edit them.
        found = connection.execute(self._revisions, self._names.bind([[name] for name in names]))
        return {row.name: row.revision for row in found}

    def _requests(
        self,
        connection: Connection,
        moves: Sequence[Move],
        places: list[int],
        revisions: dict[str, int],
        running: RunningMoves,
        made: list[bool],
    ) -> None:
        ids = sorted({request_id(moves[place]) for place in places})
        if not ids:
            return
        statement = (
            select(request.c.id, request.c.first_at)
            .where(request.c.id.in_(ids))
            .order_by(request.c.seq)
            .with_for_update()
        )
        first: dict[str, int | None] = {
            row.id: row.first_at for row in connection.execute(statement)
        }
        # Several moves may change one request.
        touched = set()
        for place in places:
            move = moves[place]
            key = request_id(move)
            # Otherwise the move is refused: `made` stays False at its place. A request is a run
            # that was asked for outside the schedule.
            as_seen = first.get(key) == micros(move.seen) and at_revision(move, revisions)
            if as_seen and running.allow(move):
                first[key] = None if move.first is None else micros(move.first)
                touched.add(key)
                made[place] = True
                running.make(move)
        ended = sorted(key for key in touched if first[key] is None)
        if ended:
            connection.execute(delete(request).where(request.c.id.in_(ended)))
        for key in sorted(touched - set(ended)):
            connection.execute(
                update(request).where(request.c.id == key).values(first_at=first[key])
            )

    def _reclaim(
        self,
        connection: Connection,
        moves: Sequence[Move],
        places: list[int],
        revisions: dict[str, int],
        running: RunningMoves,
        made: list[bool],
        origins: dict[str, Origin],
    ) -> list[int]:
        if not places:
            return []
        # These moves change runs that were reserved but not recorded. Each run leaves its stored
        # batch; why it exists is kept in `origins`, by task id.
        batches = self._claims.locked(connection, {micros(moves[place].seen) for place in places})
        holds = {(task, batch.claimed_at): batch for batch in batches for task in batch.runs}
        left: dict[int, dict[str, Open]] = {}
        for place in places:
            move = moves[place]
            assert move.open_claim is not None, "a move of a claim comes with it"
            task_id = move.open_claim.task_id
            batch = holds.pop((task_id, micros(move.seen)), None)
            if batch is not None and at_revision(move, revisions) and running.allow(move):
                # `_open` later writes the claims that are retried into a new batch.
                removed = left.setdefault(batch.id, dict(batch.runs)).pop(task_id)
                origins[task_id] = origin_of(removed)
                made[place] = True
                running.make(move)
        for batch in batches:
            if batch.id in left:
                self._claims.rewritten(connection, batch, left[batch.id])
        return list(left)

    def _add_counts(self, connection: Connection, moves: Iterable[Move]) -> None:
        counted: dict[str, list[Any]] = {}
        for move in moves:
            if move.counts:
                row = counted.setdefault(move.name, [move.name, 0, None])
                row[1] += move.counts
                row[2] = max((m for m in (row[2], counted_moment(move)) if m), default=None)
        if counted:
            rows = [counted[name] for name in sorted(counted)]
            connection.execute(self._count, self._counts.bind(rows))

    def _open(
        self,
        connection: Connection,
        done: Sequence[Move],
        term: Term,
        at: int,
        origins: dict[str, Origin],
    ) -> OpenBatch | None:
        # What the accepted moves add: records of skipped runs, missed runs still to do, and a batch
        # of reserved runs.
        skips = [
            of_skip(
                move.name,
                skip,
                at,
                term=term.number,
                task_id=closed_task(move),
                origin=skip_origin(move, origins),
            )
            for move in done
            for skip in move.skips
        ]
        self._tell(connection, skips)
        self._add(connection, [move.backlog for move in done if move.backlog is not None])
        runs = [move.run for move in done if move.run is not None]
        if not runs:
            return None
        return self._claims.opened(connection, runs, at, term.number)
