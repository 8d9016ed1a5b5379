"""Pack the arguments of the Redis script that reserves and publishes runs, and read its reply."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import MsgspecError, json, msgpack

from beatd.errors import Deposed
from beatd.leader import Holder, Term
from beatd.ledger import Move, RunningChange
from beatd.publisher import Outcome, Push
from beatd.run import Origin, Run, micros
from beatd.stores.redis import row_text
from beatd.stores.redis.row_text import closes, due_of, request_text, text_of

KINDS = {"plan": 1, "request": 2, "claim": 3}
CONFIRMED = Outcome("confirmed")
PLANNED: Origin = "planned"  # written nowhere, as most runs have it
REQUESTED: dict[str, Origin] = {
    "trigger": "trigger",
    "backfill": "backfill",
    "backlog": "catch-up",
}


def outcomes_of(reply: list[Any]) -> Sequence[Outcome | None]:
    """Convert the reply of the script `moves.lua` to the outcome of each run, in order.

    None means that the run was not sent, because its entry changed meanwhile.
    """
    made, *refused = reply
    outcomes: list[Outcome | None] = [CONFIRMED if letter == ord("1") else None for letter in made]
    for place, reason in zip(refused[::2], refused[1::2], strict=True):
        outcomes[place - 1] = Outcome("rejected", reason.decode(errors="replace"))
    return outcomes


def told_with(
    batch: "Batch", term: Term, at: datetime, *, remember: str = ""
) -> tuple[str | bytes | int, ...]:
    """Return all arguments of the script `moves.lua`, which reserves and publishes a batch of runs.

    `term` is the leader's fencing number, `at` the time at which the runs are reserved. The script
    saves its answer under the Redis key `remember`, if given, so that a repeated call returns the
    same answer.
    """
    return (str(term.number), term.token, micros(at), remember, batch.packed, batch.bodies)


def unless_deposed(reply: list[Any], term: Term) -> list[Any]:
    """Return a script's reply unchanged, or raise Deposed if the reply says that another daemon
    leads.

    The script refuses a `term` (the fencing number of a leader) that is not the newest.
    """
    if reply[0] != b"deposed":
        return reply
    if not reply[1]:
        raise Deposed(f"term {term.number} is unknown: this store has issued no term yet")
    try:
        who = json.decode(reply[2], type=Holder)
        leader = f"{who.name} on {who.host} (pid {who.pid})"
    except (MsgspecError, UnicodeError):
        leader = "a daemon whose name is damaged"
    newest = reply[1].decode(errors="replace")
    raise Deposed(f"term {term.number} is over: {leader} leads with term {newest}")


class Batch:
    """Packs prepared runs and their messages as arguments of the script `moves.lua`.

    All message bodies are joined in one argument: a thousand arguments cost more than their
    contents.
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
        self._bodies += [push.body for push in pushes]
        # One key as a text, several as a list.
        return pushes[0].key if len(pushes) == 1 else [push.key for push in pushes]

    def _columns(self, place: int, move: Move) -> tuple[object, ...]:
        # The fields are: name; beginning of the row before the move; beginning of the row after it;
        # rest of the row after it; score in the plan; number of runs to count; and, for its run,
        # the key of the claim, the planned moment, and the due moment with the task id. Fields that
        # the move does not have are empty.
        run, expect, instead, rest, score = move.run, "", "", "", ""
        if move.of == "plan":
            expect = f"{text_of(move.seen)}\t{move.revision}\te\t"
            if move.plan is not None:
                plan = move.plan
                planned, due = text_of(plan.planned), due_of(plan)
                instead = f"{planned}\t{move.revision}\te\t"
                rest = f"{due}\t{plan.fingerprint}\t{plan.rules}"
                score = due or planned or "+inf"
        if is_rare(move):
            self._rare[place + 1] = _rare(move)
        if run is None:
            return (move.name, expect, instead, rest, score, move.counts, "", "", "")
        moment = text_of(run.occurrence.planned)
        closing = f"{moment}:{run.occurrence.request}"
        what = f"{text_of(run.due)}\t{run.task_id}"
        return (move.name, expect, instead, rest, score, move.counts, closing, moment, what)


def is_rare(move: Move) -> bool:
    """Return True if a change is not an ordinary planned run but, for example, one requested by
    hand."""
    return (
        move.of != "plan"
        or bool(move.skips)
        or move.backlog is not None
        or move.running is not None
        or (move.run is not None and move.run.origin != PLANNED)
    )


def _rare(move: Move) -> tuple[object, ...]:
    # The fields are: kind of row; key of the request or open claim; beginning of its value before
    # the move; beginning after the move ("" deletes it); revision of the entry that the run needs;
    # records of the skipped moments; key of the open claim that these records close; backlog as
    # (id, text), or False; change of the running run, or False; origin of the run; origin of the
    # skipped moments.
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
    return (
        KINDS[move.of],
        found,
        seen,
        instead,
        revision,
        skips,
        ended,
        backlog,
        move.running is not None and change_fields(move.running, move.run),
        "" if move.run is None or move.run.origin == PLANNED else move.run.origin,
        "" if move.request is None else REQUESTED[move.request.kind],
    )


def change_fields(change: RunningChange, run: Run | None) -> tuple[object, ...]:
    # In the order in which the scripts read them.
    id = "" if run is None else run.task_id
    return (change.seen, text_of(change.until), change.ends, id, change.is_over)
