"""Entries, plans, moves and results in few words, on moments around one noon."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from beatd.catalog import Change, Plan, Query, Stored
from beatd.definition import entry_from
from beatd.entry import Entry
from beatd.history import Record
from beatd.leader import Holder, Term
from beatd.ledger import Move, OpenClaim, Request, Result
from beatd.presence import Presence
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, Skip, task_id
from beatd.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOREVER = NOON + timedelta(days=100_000)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def entry(name: str = "tidy", **fields: Any) -> Entry:
    plain = {"task": "proj.tidy", "every": "10s", **fields}
    source = plain.pop("source", "cli")
    made = entry_from("any", plain, source=source, declared_at=plain.pop("declared_at", ""))
    return replace(made, name=name)  # a store takes any name; the definition is pickier


def plan(planned: float | datetime | None, mark: str = "mark", rules: str = "1") -> Plan:
    moment = at(planned) if isinstance(planned, int | float) else planned
    return Plan(moment, moment, mark, rules)


def put(store: Store, name: str = "tidy", planned: Any = 0, **fields: Any) -> Stored:
    """A new entry in the store, as it is there afterwards."""
    assert store.write([Change(name, 0, entry(name, **fields), plan(planned))]) == [True]
    return row(store, name)


def put_many(store: Store, names: Iterable[str], planned: Any = 0) -> list[Stored]:
    names = list(names)
    assert all(store.write([Change(n, 0, entry(n), plan(planned)) for n in names]))
    found = {r.entry.name: r for r in store.find(Query(names=tuple(names)))}
    return [found[name] for name in names]


def edit(stored: Stored, made: Entry, following: Plan | None = None, **more: Any) -> Change:
    """An entry that is there put anew, made from the row as it was seen."""
    name, seen = stored.entry.name, stored.revision
    return Change(name, seen, made, following, progress=stored.progress, **more)


def row(store: Store, name: str = "tidy") -> Stored:
    (found,) = store.find(Query(names=(name,)))
    return found


def names(found: Iterable[Stored]) -> list[str]:
    return [stored.entry.name for stored in found]


def holder(name: str = "one") -> Holder:
    return Holder(name, f"host-of-{name}", 42, NOON, uuid4().hex)


def lead(store: Store, name: str = "one") -> Term:
    return store.begin(holder(name))


def leads(store: Store) -> None:
    """Announce the daemon that won the newest term, or a new one before the first term."""
    if store.term() is None:
        lead(store)
    newest = store.term()
    assert newest is not None
    store.announce(Presence(newest[1], "leader", True, NOON), 86_400.0)


def run_of(store: Store, stored: Stored, planned: datetime | None = None, request: str = "") -> Run:
    moment = planned or stored.plan.planned
    assert moment is not None
    occurrence = Occurrence(stored.entry.name, moment, request)
    return Run(
        occurrence, task_id(store.namespace, occurrence), stored.entry, stored.revision, moment
    )


def step(store: Store, stored: Stored, following: Any = 10, **more: Any) -> Move:
    """The plain move of a plan: this moment is run, the next one is planned."""
    assert stored.plan.planned is not None
    fields: dict[str, Any] = {
        "of": "plan",
        "name": stored.entry.name,
        "revision": stored.revision,
        "seen": stored.plan.planned,
        "plan": plan(following),
        "run": run_of(store, stored),
        "counts": 1,
    }
    return Move(**{**fields, **more})


def again(claim: OpenClaim, store: Store, **more: Any) -> Move:
    """An open claim claimed anew."""
    stored = claim.stored
    assert stored is not None
    occurrence = claim.occurrence
    run = Run(occurrence, claim.task_id, stored.entry, stored.revision, claim.due)
    fields: dict[str, Any] = {
        "of": "claim",
        "name": occurrence.name,
        "revision": stored.revision,
        "seen": claim.claimed_at,
        "open_claim": claim,
        "run": run,
    }
    return Move(**{**fields, **more})


def closed(claim: OpenClaim, reason: str) -> Move:
    planned = claim.occurrence.planned
    return Move(
        of="claim",
        name=claim.occurrence.name,
        revision=claim.stored.revision if claim.stored else 0,
        seen=claim.claimed_at,
        open_claim=claim,
        skips=(Skip(planned, planned, 1, reason),),
    )


def request_of(stored: Stored, kind: Any = "trigger", first: float = 0, last: float = 0) -> Request:
    return Request(uuid4().hex, stored.entry.name, kind, at(first), at(last), stored.revision)


def asked(store: Store, request: Request, stored: Stored, **more: Any) -> Move:
    """The first moment of a request, and no further one."""
    by_hand = "" if request.kind == "backlog" else request.id
    fields: dict[str, Any] = {
        "of": "request",
        "name": request.name,
        "revision": stored.revision,
        "seen": request.first,
        "request": request,
        "run": run_of(store, stored, request.first, by_hand),
    }
    return Move(**{**fields, **more})


def claimed(store: Store, stored: Stored, term: Term, when: float = 1, **more: Any) -> Run:
    move = step(store, stored, **more)
    assert store.claim([move], term, at(when)) == [True]
    assert move.run is not None
    return move.run


def told(
    run: Run, sent: Any = "confirmed", when: float = 2, reason: str = "", **more: Any
) -> Result:
    return Result(run, Outcome(sent, reason), at(when), **more)


def open_claims(store: Store) -> list[OpenClaim]:
    return list(store.unknowns(FOREVER, 100_000))


def past(store: Store, name: str | None = None) -> list[Record]:
    return list(store.history(name, None))
