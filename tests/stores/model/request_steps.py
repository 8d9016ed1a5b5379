"""Steps about runs that were requested: ask, give arguments, work off."""

import random
from typing import Any

from beatd.catalog import Stored
from beatd.ledger import Move, Request, RunningChange
from beatd.overlap import turn_of_request
from beatd.run import Skip
from tests.stores.making import asked, at
from tests.stores.model.side import Side


def ask(side: Side, dice: random.Random) -> Any:
    found, kind = side.some_row(dice), dice.choice(("trigger", "backfill"))
    if found is None:
        return
    first = side.moment(dice, -20, -10)
    last = first if kind == "trigger" else side.moment(dice, -9, 0)
    id = f"{dice.getrandbits(128):032x}"
    request = Request(id, found.entry.name, kind, first, last, found.revision)
    side.store.add_requests([request] * dice.choice((1, 1, 2)))
    if dice.random() < 0.5:
        side.store.marks.write_arguments(id, '{"args": [1, "ä"]}', at(side.now))


def ask_again(side: Side, dice: random.Random) -> Any:
    """A request that is stored, and that may have been carried out in part, is stored again."""
    side.store.add_requests([request for request, _ in side.store.requests(2)])


def work_off(side: Side, dice: random.Random) -> Any:
    moves = [
        move
        for request, row in side.store.requests(dice.randint(1, 2))
        if (move := request_move(side, request, row, dice)) is not None
    ]
    return side.claim(moves, dice)


def request_move(
    side: Side, request: Request, row: Stored | None, dice: random.Random
) -> Move | None:
    first = None if dice.random() < 0.5 else side.moment(dice, -5, 0)
    if row is None:
        dropped = Skip(request.first, request.last, 1, "removed")
        return Move(
            of="request", name=request.name, revision=0, seen=request.first, request=request,
            skips=(dropped,),
        )  # fmt: skip
    more: dict[str, Any] = {"first": first, "counts": dice.randint(0, 1)}
    if row.entry.overlap != "allow":
        more["running"], until = None, side.moment(dice, 2, 40)
        turn = turn_of_request(request, row, at(side.now))
        if turn is None:
            return None
        more["running"] = turn.running
        if turn.skip:
            skip = Skip(request.first, request.first, 1, turn.skip)
            more |= {"run": None, "counts": 0, "skips": (skip,)}
        elif turn.until is not None:
            change = RunningChange(turn.running.seen, until)
            more |= {"run": None, "counts": 0, "first": request.first, "running": change}
            more["revokes"] = turn.revokes
    note = f"by {request.id}"
    if request.kind != "backlog" and dice.random() < 0.5:
        move = asked(side.store, request, row, **more)
        if move.run is not None:
            side.store.marks.write_requested(move.run.task_id, note, at(side.now))
        return move
    return asked(side.store, request, row, **more)
