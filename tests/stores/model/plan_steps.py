"""Steps of a leader: claim what is planned, record what was sent, settle what is unknown."""

import random
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.leader import Holder
from beatd.ledger import Move, Request, Result, RunningChange
from beatd.overlap import turn_of_claim
from beatd.publisher import Outcome, Sent
from beatd.run import Skip
from tests.stores.making import NOON, again, at, closed, plan, step
from tests.stores.model.running_moves import plan_move
from tests.stores.model.side import Side

SENT: tuple[Sent, ...] = ("confirmed", "rejected", "unsent", "unknown")


def claim_plans(side: Side, dice: random.Random) -> Any:
    return side.claim(plan_moves(side, dice), dice)


def plan_moves(side: Side, dice: random.Random) -> list[Move]:
    """Moves of the plans of the first few entries, whether they are due or not."""
    rows = sorted(side.store.upcoming(100), key=lambda row: (row.plan.due, row.entry.name))
    return [_move(side, row, dice) for row in rows[: dice.randint(1, 3)]]


def _move(side: Side, row: Stored, dice: random.Random) -> Move:
    after, moment = side.moment(dice, 1, 20), row.plan.planned
    assert moment is not None
    if row.entry.overlap != "allow":
        return plan_move(side, row, after, dice)
    more: dict[str, Any] = {"counts": dice.choice((1, 1, 0))}
    if dice.random() < 0.2:
        owed = Request(
            f"{dice.getrandbits(64):x}", row.entry.name, "backlog", moment, at(side.now), 0
        )
        more = {"run": None, "counts": 0, "backlog": owed}
    if dice.random() < 0.2:
        more["skips"] = (Skip(moment, at(side.now), 3, "late", dice.random() < 0.5),)
    if dice.random() < 0.1:
        more["plan"] = plan(None)  # the last one
    if dice.random() < 0.1:
        more["revision"] = row.revision + 1
    return step(side.store, row, after, **more)


def settle_unknowns(side: Side, dice: random.Random) -> Any:
    found = sorted(
        side.store.unknowns(at(side.now), 100),
        key=lambda c: (c.occurrence.name, c.occurrence.planned, c.occurrence.request),
    )
    moves = []
    for claim in found[: dice.randint(1, 2)]:
        anew, row = dice.random() < 0.5, claim.stored
        if anew and row is not None:
            change = None
            if row.entry.overlap != "allow":
                change = turn_of_claim(row, claim.task_id, at(side.now))
                if change is None:
                    continue
            moves.append(again(claim, side.store, running=change, counts=dice.randint(0, 1)))
            continue
        ends = None
        if row is not None and row.running is not None and dice.random() < 0.5:
            ends = RunningChange(claim.task_id, ends=True)
        moves.append(replace(closed(claim, "unknown"), running=ends))
    return side.claim(moves, dice)


def record(side: Side, dice: random.Random) -> Any:
    results = list[Result]()
    for run, claimed_at in dice.sample(side.sent[-8:], min(3, len(side.sent))):
        outcome = Outcome(dice.choice(SENT), "because")
        seen = dice.choice((None, claimed_at, at(0)))
        if all(run.occurrence != one.run.occurrence for one in results):
            results.append(Result(run, outcome, at(side.now), seen))
    side.store.record(results)


def change_leader(side: Side, dice: random.Random) -> Any:
    begin(side, f"{dice.getrandbits(64):x}")
    return side.terms[-1].number


def begin(side: Side, token: str) -> None:
    me = Holder("one", "host", 42, NOON, token)
    side.terms.append(side.store.begin(me))
