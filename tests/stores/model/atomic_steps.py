"""Steps of a leader whose store and broker are one Redis: claim, push and record at once."""

import random
from typing import Any

from beatd.ledger import Move
from beatd.publisher import Outcome, Push
from tests.simulation.one_step import OneStepStore
from tests.stores.making import at
from tests.stores.model.plan_steps import plan_moves
from tests.stores.model.request_steps import request_move
from tests.stores.model.side import QUEUES, Side, unless_deposed


def send_at_once(side: Side, dice: random.Random) -> Any:
    if "step" not in side.abilities:
        return None
    moves = plan_moves(side, dice)
    if dice.random() < 0.3:
        found = [request_move(side, one, row, dice) for one, row in side.store.requests(2)]
        moves += [move for move in found if move is not None]
    moves = [move for move in moves if move.run is not None]
    pushes = [_pushes(move, dice) for move in moves]
    side.batches.append((moves, pushes))
    return _send(side, moves, pushes, dice)


def send_again(side: Side, dice: random.Random) -> Any:
    """The reply to a step was lost, so the same step is sent again, though much has changed."""
    if "step" not in side.abilities or not side.batches:
        return None
    moves, pushes = dice.choice(side.batches[-2:])
    return _send(side, moves, pushes, dice)


def write_up(side: Side, dice: random.Random) -> Any:
    if "step" in side.abilities:
        side.store.write_up(dice.choice((1, 100)))


def _pushes(move: Move, dice: random.Random) -> list[Push]:
    body = f"{move.name} {dice.getrandbits(32):x}".encode()
    several = dice.random() < 0.1
    queues = dice.sample(QUEUES, 2) if several else [dice.choice(QUEUES[:2] * 3 + QUEUES)]
    return [Push(queue, body) for queue in queues]


def _send(side: Side, moves: list[Move], pushes: list[list[Push]], dice: random.Random) -> Any:
    term, is_ahead, is_dropped = side.term(dice), dice.random() < 0.5, dice.random() < 0.1
    if isinstance(side.store, OneStepStore):
        if is_dropped:
            return None
        outcomes = unless_deposed(lambda: _in_model(side, moves, pushes, term))
    else:
        full = [[Push(side.queue_key(push.key), push.body) for push in some] for some in pushes]
        step = side.store.step(moves, full)
        if is_ahead:
            step.send_ahead()
        if is_dropped:
            step.drop()
            return None
        outcomes = unless_deposed(lambda: step.begin(term, at(side.now))())
    if outcomes == "deposed":
        return outcomes
    side.remember([move for move, one in zip(moves, outcomes, strict=True) if one])
    return [one and one.sent for one in outcomes]


def _in_model(side: Side, moves: list[Move], pushes: list[list[Push]], term: Any) -> Any:
    some = {
        move.run.occurrence: given
        for move, given in zip(moves, pushes, strict=True)
        if move.run is not None
    }

    def push(run: Any) -> Outcome:
        given = some[run.occurrence]
        if any(one.key == QUEUES[-1] for one in given):
            return Outcome("rejected", "because")
        for one in given:
            side.queues[one.key].append(one.body)
        return Outcome("confirmed")

    return side.store.step(moves, push, term, at(side.now))
