"""What is planned, claimed and done: a batch is one script, whatever the number of entries."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from msgspec import json, msgpack

from beatd.catalog import Stored
from beatd.errors import Deposed
from beatd.leader import Holder, Term
from beatd.ledger import Move, OpenClaim, Request, Result
from beatd.publisher import Outcome, Push
from beatd.run import micros, moment_of
from beatd.stores.redis import rows
from beatd.stores.redis.reading import Reader
from beatd.stores.redis.rows import closes, due_of, occurrence_of, request_of, request_text, text_of
from beatd.stores.redis.script import Scripts

KINDS = {"plan": 1, "request": 2, "claim": 3}
ENDS = {"confirmed": "P", "rejected": "F", "unsent": "U"}
FIRST_BODY = 6  # the place in ARGV, after what every batch begins with
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
        packed = msgpack.encode([_packed(move, None, 0, []) for move in moves])
        made, *_ = self._move(term, at, f"answer:{token_hex(8)}", packed)
        return [letter == ord("1") for letter in made]

    def publish(
        self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]], term: Term, at: datetime
    ) -> Sequence[Outcome | None]:
        now = micros(at)
        bodies: list[bytes] = []
        packed = msgpack.encode(
            [_packed(move, push, now, bodies) for move, push in zip(moves, pushes, strict=True)]
        )
        made, *refused = self._move(term, at, "", packed, bodies)
        outcomes: list[Outcome | None] = [
            CONFIRMED if letter == ord("1") else None for letter in made
        ]
        for place, reason in zip(refused[::2], refused[1::2], strict=True):
            outcomes[place - 1] = Outcome("rejected", reason.decode(errors="replace"))
        return outcomes

    def _move(
        self, term: Term, at: datetime, remember: str, packed: bytes, bodies: Sequence[bytes] = ()
    ) -> list[Any]:
        number, token = str(term.number), term.token
        reply: list[Any] = self._scripts(
            "moves", number, token, micros(at), remember, packed, *bodies
        )
        if reply[0] == b"deposed":
            if not reply[1]:
                raise Deposed(f"term {number} is unknown: this store has issued no term yet")
            who = json.decode(reply[2], type=Holder)
            raise Deposed(
                f"term {number} is over: {who.name} on {who.host} (pid {who.pid}) "
                f"leads with term {reply[1].decode()}"
            )
        return reply

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


def _packed(
    move: Move, pushes: Sequence[Push] | None, now: int, bodies: list[bytes]
) -> tuple[object, ...]:
    """A move as `moves.lua` reads it; most of it ready to be compared and stored as it is."""
    run, name = move.run, move.name
    # 3 what it begins with or is found by, 4 what that begins with, 6-8 what comes instead
    if move.of == "plan":
        expect = f"{micros(move.seen)}\t{move.revision}\te\t"
        seen = instead = rest = score = ""
        if move.plan is not None:
            plan = move.plan
            planned = text_of(plan.planned)
            due = due_of(plan)
            instead = f"{planned}\t{move.revision}\te\t"
            rest = f"{due}\t{plan.fingerprint}\t{plan.rules}"
            score = due or planned or "+inf"
    elif move.of == "request":
        assert move.request is not None, "a move of a request names it"
        expect, seen = move.request.id, f"{micros(move.seen)}\t"
        instead = "" if move.first is None else f"{micros(move.first)}\t"
        rest = score = ""
    else:
        assert move.open_claim is not None, "a move of an open claim names it"
        expect = f"{closes(move.open_claim.occurrence)}:{name}"
        seen, instead, rest, score = f"{micros(move.seen)}\t", "", "", ""

    closing = claim = body = planned_at = revision = ""
    if run is not None:
        due_at = micros(run.due)
        closing = closes(run.occurrence)
        claim = f"{due_at}\t{run.task_id}"
        planned_at = text_of(run.occurrence.planned)
        revision = str(run.revision) if move.of != "plan" else ""
        if pushes is not None:
            body = rows.published(now, due_at, run.task_id)
    # Bodies travel beside: the unpacker in Redis knows text and no bytes.
    listed: object = False
    if pushes is not None:
        listed = [part for place, push in enumerate(pushes, len(bodies) + FIRST_BODY)
                  for part in (push.key, place)]  # fmt: skip
        bodies += (push.body for push in pushes)
    skips: object = False
    ended = ""
    if move.skips:
        # An open claim that ends by a skip is closed by it, under its own id.
        closed = move.open_claim if move.of == "claim" and run is None else None
        ended = closes(closed.occurrence) if closed else ""
        skips = [rows.skipped(skip, closed.task_id if closed else "") for skip in move.skips]
    backlog = move.backlog and (move.backlog.id, request_text(move.backlog))
    return (
        KINDS[move.of], name, expect, seen, revision, instead, rest, score, move.counts,
        closing, planned_at, claim, body, listed, skips, ended, backlog or False,
    )  # fmt: skip


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
