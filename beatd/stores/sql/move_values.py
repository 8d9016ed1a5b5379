"""Compute the SQL column values that are written when runs are reserved."""

from collections.abc import Iterator, Sequence
from typing import Any

from beatd.ledger import Move
from beatd.run import Origin, micros
from beatd.stores.sql.history_rows import OF_REQUEST


def one_per_name(moves: Sequence[Move], places: list[int]) -> Iterator[list[int]]:
    """Split a batch of changes into parts in which each entry occurs only once.

    `places` are indexes of `moves`, and so are the yielded lists, sorted by the entry's name.
    Usually there is one list.
    """
    while places:
        first: dict[str, int] = {}
        again = []
        for place in places:
            if moves[place].name in first:
                again.append(place)
            else:
                first[moves[place].name] = place
        yield [first[name] for name in sorted(first)]
        places = again


def plan_cells(move: Move) -> list[Any]:
    """Return the column values that a change writes to the row of an entry's next run."""
    plan, run = move.plan, move.run
    assert plan is not None, "a move of the plan says where to"
    seen = micros(move.seen)
    planned = None if plan.planned is None else micros(plan.planned)
    # Without jitter or catching up, due and planned are the same moment.
    due = planned if plan.due is plan.planned else plan.due and micros(plan.due)
    last = None
    if run is not None and move.counts:
        moment = run.occurrence.planned
        last = seen if moment is move.seen else micros(moment)
    rules, mark = plan.rules, plan.fingerprint
    return [move.name, move.revision, seen, planned, due, mark, rules, move.counts, last]


def counted_moment(move: Move) -> int | None:
    return micros(move.run.occurrence.planned) if move.run is not None and move.counts else None


def request_id(move: Move) -> str:
    assert move.request is not None, "a move of a request comes with it"
    return move.request.id


def at_revision(move: Move, revisions: dict[str, int]) -> bool:
    return move.run is None or revisions.get(move.name) == move.run.revision


def skip_origin(move: Move, origins: dict[str, Origin]) -> Origin:
    """Return why the runs that a change skips exist, such as "planned" or "backfill".

    `origins` says this for runs that were reserved before, by task id.
    """
    if move.request is not None:
        return OF_REQUEST[move.request.kind]
    return origins.get(closed_task(move), "planned")


def closed_task(move: Move) -> str:
    """Return the task id of the reserved run that this change skips, or "" if there is none."""
    # With this id in the skip record, a late outcome of the run can replace the record.
    return "" if move.open_claim is None or move.run is not None else move.open_claim.task_id
