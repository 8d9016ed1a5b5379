"""Pack a batch of moves (changes of one row each) as arguments of `moves.lua`, and read its
reply."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import json, msgpack

from beatd.errors import Deposed
from beatd.leader import Holder, Term
from beatd.ledger import Move
from beatd.publisher import Outcome, Push
from beatd.run import micros
from beatd.stores.redis import row_text
from beatd.stores.redis.row_text import closes, due_of, request_text, text_of

KINDS = {"plan": 1, "request": 2, "claim": 3}
CONFIRMED = Outcome("confirmed")


def outcomes_of(reply: list[Any]) -> Sequence[Outcome | None]:
    """Return an outcome for each move from the reply of `moves.lua`; None if its row was not as
    seen."""
    made, *refused = reply
    outcomes: list[Outcome | None] = [CONFIRMED if letter == ord("1") else None for letter in made]
    for place, reason in zip(refused[::2], refused[1::2], strict=True):
        outcomes[place - 1] = Outcome("rejected", reason.decode(errors="replace"))
    return outcomes


def told_with(
    batch: "Batch", term: Term, at: datetime, *, remember: str = ""
) -> tuple[str | bytes | int, ...]:
    """Return the arguments of `moves.lua`. `remember` is the key under which Redis keeps the
    answer, so that a repeated call returns it; empty: none is kept."""
    return (str(term.number), term.token, micros(at), remember, batch.packed, batch.bodies)


def unless_deposed(reply: list[Any], term: Term) -> list[Any]:
    """Return the reply of a script, or raise Deposed if it says that the term is over."""
    if reply[0] != b"deposed":
        return reply
    if not reply[1]:
        raise Deposed(f"term {term.number} is unknown: this store has issued no term yet")
    who = json.decode(reply[2], type=Holder)
    raise Deposed(
        f"term {term.number} is over: {who.name} on {who.host} (pid {who.pid}) "
        f"leads with term {reply[1].decode()}"
    )


class Batch:
    """The moves of a batch packed as columns, so that the script compares and stores their texts
    unchanged.

    Fields that few moves have are in a separate table, by the place of the move. The message bodies
    are joined in one argument: the unpacker in Redis knows text and no bytes, and a thousand
    arguments would cost more than their contents.
    """

    def __init__(
        self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]] | None = None
    ) -> None:
        self._bodies: list[bytes] = []
        self._rare: dict[int, tuple[object, ...]] = {}
        columns = [self._columns(place, move) for place, move in enumerate(moves)]
        targets: object = False
        if pushes is not None:
            targets = [self._target(push) for push in pushes]
        across = list(zip(*columns, strict=True)) or [()] * 9
        lengths = list(map(len, self._bodies))
        self.packed = msgpack.encode([*across, targets, lengths, self._rare])
        self.bodies = b"".join(self._bodies)

    def _target(self, pushes: Sequence[Push]) -> object:
        """Add the bodies of the pushes, and return their queue, or a list of queues if there are
        several."""
        self._bodies += [push.body for push in pushes]
        return pushes[0].key if len(pushes) == 1 else [push.key for push in pushes]

    def _columns(self, place: int, move: Move) -> tuple[object, ...]:
        """Return the cells of a move: name, the row's beginning as it was seen, the new beginning,
        the new rest of the row, score in the plan, runs to count, and of its run the claim's key,
        the planned moment, and the due moment with the task id."""
        run, expect, instead, rest, score = move.run, "", "", "", ""
        if move.of == "plan":
            expect = f"{text_of(move.seen)}\t{move.revision}\te\t"
            if move.plan is not None:
                plan = move.plan
                planned, due = text_of(plan.planned), due_of(plan)
                instead = f"{planned}\t{move.revision}\te\t"
                rest = f"{due}\t{plan.fingerprint}\t{plan.rules}"
                score = due or planned or "+inf"
        if move.of != "plan" or move.skips or move.backlog is not None:
            self._rare[place + 1] = _rare(move)
        if run is None:
            return (move.name, expect, instead, rest, score, move.counts, "", "", "")
        moment = text_of(run.occurrence.planned)
        closing = f"{moment}:{run.occurrence.request}"
        what = f"{text_of(run.due)}\t{run.task_id}"
        return (move.name, expect, instead, rest, score, move.counts, closing, moment, what)


def _rare(move: Move) -> tuple[object, ...]:
    """Return the fields that few moves have: kind; key of the request or open claim; its value's
    beginning as it was seen; the new beginning, or "" to delete it; the entry's revision that the
    run needs; lines of the skips; key of the claim that these lines close; backlog as (id, text),
    or False."""
    found = instead = ended = skipped_id = ""
    seen = f"{micros(move.seen)}\t"
    if move.of == "request":
        assert move.request is not None, "a move of a request names it"
        found = move.request.id
        instead = "" if move.first is None else f"{micros(move.first)}\t"
    elif move.of == "claim":
        assert move.open_claim is not None, "a move of an open claim names it"
        found = f"{closes(move.open_claim.occurrence)}:{move.name}"
        if move.run is None:
            # The line of the skip closes the open claim, and has the task id of its run.
            ended, skipped_id = closes(move.open_claim.occurrence), move.open_claim.task_id
    revision = "" if move.run is None else str(move.run.revision)
    skips = [row_text.skipped(skip, skipped_id) for skip in move.skips]
    backlog = move.backlog is not None and (move.backlog.id, request_text(move.backlog))
    return (KINDS[move.of], found, seen, instead, revision, skips, ended, backlog)
