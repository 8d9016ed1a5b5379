"""Read the next runs, reserve them and record their outcomes in Redis, one script per batch."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Any

from msgspec import msgpack
from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.leader import Term
from beatd.ledger import Move, OpenClaim, Request, Result, Step
from beatd.publisher import Push
from beatd.run import micros, moment_of
from beatd.stores.redis import row_text
from beatd.stores.redis.atomic_step import RedisStep
from beatd.stores.redis.claim_batch import PLANNED, Batch, told_with, unless_deposed
from beatd.stores.redis.entry_reader import Reader
from beatd.stores.redis.row_text import closes, occurrence_of, request_of, text_of
from beatd.stores.redis.script import Scripts

ENDS = {"confirmed": "P", "rejected": "F", "unsent": "U"}


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
            pairs = zip(reply[::2], reply[1::2], strict=True)
            found = [(self._text(name), row) for name, row in pairs]
            # A row that moved while its definition was read is no longer at this place in the plan.
            stored = self._reader.stored(found, unmoved=True)
            ahead += (stored[name] for name, _ in found if name in stored)  # none is named ""
            if len(found) < want:
                break
            offset += len(found)
        return [row for row in ahead if row.plan.due is not None]

    def _text(self, name: bytes) -> str:
        return self._reader.damage.read(f"the name {name!r}", name.decode) or ""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        told = told_with(Batch(moves), term, at, remember=f"answer:{token_hex(8)}")
        made, *_ = unless_deposed(self._scripts("moves", *told), term)
        return [letter == ord("1") for letter in made]

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        return RedisStep(self._scripts, moves, pushes)

    def write_up(self, limit: int) -> bool:
        return bool(self._scripts("write_up", limit))

    def record(self, results: Sequence[Result]) -> None:
        packed = [_ended(result) for result in results if result.outcome.sent in ENDS]
        if packed:
            self._scripts("record", msgpack.encode(packed))

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        want = limit
        while True:
            reply = self._scripts("unknowns", micros(before), want)
            found = list(zip(reply[::4], reply[1::4], reply[2::4], reply[3::4], strict=True))
            opened = [one for one in map(self._opened, found) if one is not None]
            opened.sort(key=lambda one: one[0])
            named = [(claim.occurrence.name, row) for _, claim, row in opened]
            stored, gone = self._reader.stored(named), self._reader.gone(named)
            claims = [
                replace(claim, stored=stored.get(claim.occurrence.name))
                for _, claim, _ in opened
                if claim.occurrence.name in stored or claim.occurrence.name in gone
            ]
            # Claims of entries that only a newer program can read must not hide the others.
            if len(claims) >= limit or len(found) < want:
                return claims[:limit]
            want *= 2

    def open_claims(self) -> int:
        client, key = self._scripts.client, self._scripts.key("claims")
        return int(self._scripts.ask(lambda: client.hlen(key)))

    def _opened(self, found: tuple[Any, ...]) -> tuple[tuple[int, int], OpenClaim, Any] | None:
        # One item of the reply of `unknowns.lua`: a run that was reserved but is not recorded yet.
        # `row` is the plan of its entry.
        key, claim, unsent, row = found
        if claim is None:
            return None
        what = f"the open claim {key!r}"
        made = self._reader.damage.read(what, lambda: _open_claim(key, claim, bool(unsent)))
        return None if made is None else (*made, row)

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        pending: list[tuple[Request, Stored | None]] = []
        offset = 0
        while len(pending) < limit:
            reply = self._scripts("requests", offset, limit)
            found = []
            for id, text, row in zip(reply[::3], reply[1::3], reply[2::3], strict=True):
                read = partial(request_of, id, text)
                request = text and self._reader.damage.read(f"the request {id!r}", read)
                if request:
                    found.append((request, row))
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


def _ended(result: Result) -> tuple[object, ...]:
    # The fields, as `record.lua` expects them: name, key of the claim, state, moment of the result,
    # moment of the claim, text of the record. An origin other than "planned" follows. A rejected
    # result always has the origin, and then the task id.
    run, at = result.run, micros(result.at)
    sent = result.outcome.sent
    if sent == "rejected":
        body = row_text.failed(run.task_id, result.outcome.reason)
    else:
        body = row_text.published(at, micros(run.due), run.task_id)
    claimed = text_of(result.claimed_at)
    name = run.occurrence.name
    fields = (name, closes(run.occurrence), ENDS[sent], str(at), claimed, body)
    if sent == "rejected":
        return (*fields, run.origin, run.task_id)
    return fields if run.origin == PLANNED else (*fields, run.origin)


def _open_claim(key: bytes, claim: bytes, unsent: bool) -> tuple[tuple[int, int], OpenClaim]:
    # First a sort key: the moment of the claim, then the place in its batch. `damage.read` catches
    # the error of a damaged text.
    at, term, due, task_id, place, _ = claim.split(b"\t")
    return (int(at), int(place)), OpenClaim(
        occurrence_of(key),
        task_id.decode(),
        moment_of(int(due)),
        moment_of(int(at)),
        int(term),
        unsent,
        None,
    )
