"""What is planned, claimed and done: a batch is one script, whatever the number of entries."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from msgspec import json, msgpack

from beatd.catalog import Stored
from beatd.errors import Deposed
from beatd.leader import Holder, Term
from beatd.ledger import Move, OpenClaim, Outcomes, Request, Result, Step
from beatd.publisher import Outcome, Push
from beatd.run import micros, moment_of
from beatd.stores.redis import rows
from beatd.stores.redis.reading import Reader
from beatd.stores.redis.rows import closes, due_of, occurrence_of, request_of, request_text, text_of
from beatd.stores.redis.script import Scripts

KINDS = {"plan": 1, "request": 2, "claim": 3}
ENDS = {"confirmed": "P", "rejected": "F", "unsent": "U"}
CONFIRMED = Outcome("confirmed")


class RedisLedger:
    def __init__(self, scripts: Scripts, reader: Reader) -> None:
        self._scripts, self._reader = scripts, reader

    def upcoming(self, limit: int) -> Sequence[Stored]:
        ahead: list[Stored] = []
        offset = 0
        while len(ahead) < limit:
            want = limit - len(ahead)
            namespace, *reply = self._scripts("upcoming", offset, want)
            self._scripts.seen(namespace)
            found = [
                (name.decode(), row) for name, row in zip(reply[::2], reply[1::2], strict=True)
            ]
            stored = self._reader.stored(found)
            # A row that was re-planned while its definition was read is not where it was.
            ahead += (stored[name] for name, _ in found if name in stored)
            if len(found) < want:
                break
            offset += len(found)
        return [row for row in ahead if row.plan.due is not None]

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        told = told_with(Batch(moves), term, at, remember=f"answer:{token_hex(8)}")
        made, *_ = unless_deposed(self._scripts("moves", *told), term)
        return [letter == ord("1") for letter in made]

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        return RedisStep(self._scripts, Batch(moves, pushes))

    def record(self, results: Sequence[Result]) -> None:
        packed = [_ended(result) for result in results if result.outcome.sent in ENDS]
        if packed:
            self._scripts("record", msgpack.encode(packed))

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        want = limit
        while True:
            reply = self._scripts("unknowns", micros(before), want)
            found = list(zip(reply[::4], reply[1::4], reply[2::4], reply[3::4], strict=True))
            found.sort(key=lambda one: _age(one[1]))
            named = [(occurrence_of(key).name, row) for key, _, _, row in found]
            stored, gone = self._reader.stored(named), self._reader.gone(named)
            claims = [
                _open_claim(key, claim, bool(unsent), stored.get(name))
                for (key, claim, unsent, _), (name, _) in zip(found, named, strict=True)
                if claim is not None and (name in stored or name in gone)
            ]
            # Those of a newer program's entries must not hide the others behind them.
            if len(claims) >= limit or len(found) < want:
                return claims[:limit]
            want *= 2

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        pending: list[tuple[Request, Stored | None]] = []
        offset = 0
        while len(pending) < limit:
            reply = self._scripts("requests", offset, limit)
            found = [
                (request_of(id, text), row)
                for id, text, row in zip(reply[::3], reply[1::3], reply[2::3], strict=True)
                if text is not None
            ]
            named = [(request.name, row) for request, row in found]
            stored, gone = self._reader.stored(named), self._reader.gone(named)
            pending += (
                (request, stored.get(request.name))
                for request, _ in found
                if request.name in stored or request.name in gone
            )
            if len(reply) < 3 * limit:
                break
            offset += limit
        return pending[:limit]


class RedisStep:
    """One script, and what it is told with, packed."""

    def __init__(self, scripts: Scripts, batch: "Batch") -> None:
        self._scripts, self._batch = scripts, batch

    def begin(self, term: Term, at: datetime) -> Outcomes:
        reply = self._scripts.begin("moves", *told_with(self._batch, term, at))
        return lambda: outcomes_of(unless_deposed(reply(), term))


def outcomes_of(reply: list[Any]) -> Sequence[Outcome | None]:
    made, *refused = reply
    outcomes: list[Outcome | None] = [CONFIRMED if letter == ord("1") else None for letter in made]
    for place, reason in zip(refused[::2], refused[1::2], strict=True):
        outcomes[place - 1] = Outcome("rejected", reason.decode(errors="replace"))
    return outcomes


def told_with(
    batch: "Batch", term: Term, at: datetime, *, remember: str = ""
) -> tuple[str | bytes | int, ...]:
    return (str(term.number), term.token, micros(at), remember, batch.packed, batch.bodies)


def unless_deposed(reply: list[Any], term: Term) -> list[Any]:
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
    """Moves as `moves.lua` reads them: in columns, ready to be compared and stored as they are.

    What only a few moves have lies beside, by their place. Bodies travel in one argument, one after
    the other: the unpacker in Redis knows text and no bytes, and a thousand arguments would cost
    more than what is in them.
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
        return pushes[0].key if len(pushes) == 1 else [push.key for push in pushes]

    def _columns(self, place: int, move: Move) -> tuple[object, ...]:
        """name, row's beginning, what comes instead, its rest, score, counts, what the run closes,
        its moment, when it was due and its id."""
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
    """kind, found by, begins with, then with, revision, skips, closed by them, backlog."""
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
            # An open claim that ends by a skip is closed by it, under its own id.
            ended, skipped_id = closes(move.open_claim.occurrence), move.open_claim.task_id
    revision = "" if move.run is None else str(move.run.revision)
    skips = [rows.skipped(skip, skipped_id) for skip in move.skips]
    backlog = move.backlog is not None and (move.backlog.id, request_text(move.backlog))
    return (KINDS[move.of], found, seen, instead, revision, skips, ended, backlog)


def _ended(result: Result) -> tuple[object, ...]:
    run, at = result.run, micros(result.at)
    sent = result.outcome.sent
    if sent == "rejected":
        body = rows.failed(run.task_id, result.outcome.reason)
    else:
        body = rows.published(at, micros(run.due), run.task_id)
    claimed = text_of(result.claimed_at)
    name = run.occurrence.name
    return (name, closes(run.occurrence), ENDS[sent], str(at), claimed, body)


def _age(claim: bytes | None) -> tuple[int, int]:
    """Those claimed at one instant come in the order of their batch."""
    if claim is None:
        return 0, 0
    at, _, _, _, place, _ = claim.split(b"\t")
    return int(at), int(place)


def _open_claim(key: bytes, claim: bytes, unsent: bool, stored: Stored | None) -> OpenClaim:
    at, term, due, task_id, _, _ = claim.split(b"\t")
    return OpenClaim(
        occurrence_of(key),
        task_id.decode(),
        moment_of(int(due)),
        moment_of(int(at)),
        int(term),
        unsent,
        stored,
    )
