"""Reserve, publish and record a batch of runs by one Redis script, if the broker is the same
Redis."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import msgpack

from beatd.leader import Term
from beatd.ledger import Move, RunningChange, StepOutcomes
from beatd.publisher import Outcome, Push
from beatd.run import micros
from beatd.stores.redis.claim_batch import (
    CONFIRMED,
    PLANNED,
    Batch,
    change_fields,
    outcomes_of,
    told_with,
    unless_deposed,
)
from beatd.stores.redis.row_text import due_of, text_of
from beatd.stores.redis.script import Ahead, Scripts

MOST = 2000  # moves for one `plain.lua`: Lua unpacks no more than 8000 values


class RedisStep:
    """A batch of runs that one Redis script reserves, publishes and records.

    Ordinary batches run in the fast script `plain.lua`. If a run is unusual or an entry changed
    meanwhile, the slower `moves.lua` handles the runs one by one.
    """

    def __init__(
        self, scripts: Scripts, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]
    ) -> None:
        self._scripts, self._moves, self._pushes = scripts, moves, pushes
        self._plain = Plain(moves, pushes) if are_plain(moves, pushes) else None
        self._ahead: Ahead | None = None

    def send_ahead(self) -> None:
        if self._plain is not None:
            self._ahead = self._scripts.ahead("plain", *self._plain.told, more=3)

    def drop(self) -> None:
        if self._ahead is not None:
            self._ahead.drop()
            self._ahead = None

    def begin(self, term: Term, at: datetime) -> StepOutcomes:
        plain, ahead, self._ahead = self._plain, self._ahead, None
        if plain is None:
            return self._one_by_one(term, at)
        last = (str(term.number), term.token, str(micros(at)))
        if ahead is not None:
            reply = ahead.begin(*last)
        else:
            reply = self._scripts.begin("plain", *plain.told, *last)

        def outcomes() -> Sequence[Outcome | None]:
            said, *refused = unless_deposed(reply(), term)
            if said == b"no":
                return self._one_by_one(term, at)()
            return plain.outcomes(refused)

        return outcomes

    def _one_by_one(self, term: Term, at: datetime) -> StepOutcomes:
        batch = Batch(self._moves, self._pushes)
        reply = self._scripts.begin("moves", *told_with(batch, term, at))
        return lambda: outcomes_of(unless_deposed(reply(), term))


def are_plain(moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> bool:
    """Return True if the fast script `plain.lua` can reserve and publish these runs.

    There must be 1 to 2000 ordinary planned runs of different entries, each with one message.
    """
    return (
        0 < len(moves) <= MOST
        and all(map(is_plain, moves))
        and all(len(push) == 1 for push in pushes)
        and len({move.name for move in moves}) == len(moves)
    )


def is_plain(move: Move) -> bool:
    """Return True if a change reserves one planned run, and no run is skipped or was missed."""
    return (
        move.of == "plan"
        and move.plan is not None
        and move.run is not None
        and not move.run.occurrence.request
        and move.counts == 1
        and not move.skips
        and move.backlog is None
        and (move.running is None or is_beginning(move.running))
    )


def is_beginning(change: RunningChange) -> bool:
    """Return True if a change only marks a new run as running, and does not end another one."""
    return change.until is not None and not change.ends


class Plain:
    """Packs a batch of ordinary planned runs as arguments of the script `plain.lua`.

    `told` is the packed data: plans, history records, and the messages for each queue.
    """

    def __init__(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> None:
        columns, lines = list[tuple[str, ...]](), list[tuple[str, str, str, str]]()
        origins, changes = dict[int, str](), dict[int, tuple[object, ...]]()
        for place, move in enumerate(moves, 1):
            plan, run = move.plan, move.run
            assert plan is not None and run is not None
            planned, due, revision = text_of(plan.planned), due_of(plan), move.revision
            moment = text_of(run.occurrence.planned)
            columns.append(
                (
                    move.name,
                    moment,
                    f"{text_of(move.seen)}\t{revision}\te\t",
                    f"{planned}\t{revision}\te\t",
                    f"{due}\t{plan.fingerprint}\t{plan.rules}",
                    due or planned or "+inf",
                )
            )
            lines.append((move.name, moment, text_of(run.due), run.task_id))
            if run.origin != PLANNED:
                origins[place] = run.origin
            if move.running is not None:
                changes[place] = change_fields(move.running, run)
        bodies: dict[str, list[bytes]] = {}
        for (push,) in pushes:
            bodies.setdefault(push.key, []).append(push.body)
        numbers = {key: number for number, key in enumerate(bodies, 1)}
        self._queues = [numbers[push.key] for (push,) in pushes]
        counts = list(map(len, bodies.values()))
        for place, change in changes.items():
            changes[place] = (*change, self._queues[place - 1])
        packed = [*zip(*columns, strict=True), list(bodies), counts]
        self.told = (
            msgpack.encode([*packed, changes] if changes else packed),
            msgpack.encode(
                [*zip(*lines, strict=True), self._queues, *([origins] if origins else [])]
            ),
            *(body for some in bodies.values() for body in some),
        )

    def outcomes(self, refused: Sequence[bytes | int]) -> Sequence[Outcome | None]:
        """Return the outcome of each run from the script's reply: published, or refused by its
        queue.

        `refused` has the number of each queue that refused a message, followed by the reason.
        """
        outcomes: list[Outcome | None] = [CONFIRMED] * len(self._queues)
        if refused:
            reasons = dict(zip(refused[::2], refused[1::2], strict=True))
            for place, queue in enumerate(self._queues):
                if isinstance(reason := reasons.get(queue), bytes):
                    outcomes[place] = Outcome("rejected", reason.decode(errors="replace"))
        return outcomes
