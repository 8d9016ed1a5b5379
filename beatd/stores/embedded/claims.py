"""Reserve runs, record their results and write the history in a store in memory.

A run is reserved before its message is published, so that no other daemon publishes it.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from beatd.errors import Deposed
from beatd.history import Record
from beatd.leader import Term
from beatd.ledger import Move, Request, Result
from beatd.run import Occurrence, Origin, Run, Skip
from beatd.stores.embedded.running_runs import change_running, end_run, is_as_seen
from beatd.stores.embedded.table_values import (
    Asked,
    Claimed,
    Closed,
    Done,
    Forgotten,
    Line,
    Planned,
)
from beatd.stores.embedded.tables import Tables

# The lines of history that are kept, as all of them are in memory.
LINES = 100_000


def refuse_old_term(tables: Tables, term: Term) -> None:
    """Raise Deposed unless `term`, a leader's fencing number, is the newest in the store."""
    leads = tables.leads
    if leads is None:
        raise Deposed(f"term {term.number} is unknown: this store has issued no term yet")
    if leads.term != term:
        who = leads.holder
        raise Deposed(
            f"term {term.number} is over: {who.name} on {who.host} (pid {who.pid}) "
            f"leads with term {leads.term.number}"
        )


def make(tables: Tables, move: Move, term: Term, at: datetime) -> bool:
    """Make one prepared change, such as reserving a run; return False if the change is out of date.

    It is out of date if the data changed since they were read; then nothing is written. `term` is
    the leader's fencing number. A run that the change reserves is marked with the time `at`.
    """
    if move.running is not None and not is_as_seen(tables, move.name, move.running, at):
        return False
    if move.of == "plan":
        made = _make_of_plan(tables, move, term, at)
    elif move.of == "request":
        made = _make_of_request(tables, move, term, at)
    else:
        made = _make_of_claim(tables, move, term, at)
    if made and move.running is not None:
        change_running(tables, move, move.running, at)
    return made


def _make_of_plan(tables: Tables, move: Move, term: Term, at: datetime) -> bool:
    defined, planned = tables.defined.get(move.name), tables.planned.get(move.name)
    if defined is None or planned is None:
        return False
    if (
        planned.plan.planned != move.seen
        or defined.revision != move.revision
        or not defined.enabled
        or defined.paused
    ):
        return False
    plan = planned.plan if move.plan is None else move.plan
    tables.put(_counted(Planned(move.name, plan, planned.runs, planned.last), move))
    _leave(tables, move, term, at)
    return True


def _make_of_request(tables: Tables, move: Move, term: Term, at: datetime) -> bool:
    assert move.request is not None, "a move of a request names it"
    pending = tables.requests.get(move.request.id)
    if pending is None or pending.first != move.seen or _is_edited(tables, move):
        return False
    if move.first is None:
        tables.put(Done(pending.id))
    else:
        tables.put(Asked(replace(pending, first=move.first)))
    planned = tables.planned.get(move.name)
    if planned is not None and move.counts:
        tables.put(_counted(planned, move))
    _leave(tables, move, term, at)
    return True


def _make_of_claim(tables: Tables, move: Move, term: Term, at: datetime) -> bool:
    assert move.open_claim is not None, "a move of an open claim names it"
    occurrence = move.open_claim.occurrence
    claim = tables.claims.get(occurrence)
    if claim is None or claim.claimed_at != move.seen or _is_edited(tables, move):
        return False
    if move.run is None:
        tables.put(Closed(occurrence))
        for skip in move.skips:
            record = skipped(move.name, skip, claim.task_id, term.number, claim.origin)
            add_line(tables, at, record, occurrence)
    else:
        _leave(tables, move, term, at)
    planned = tables.planned.get(move.name)
    if planned is not None and move.counts:
        tables.put(_counted(planned, move))
    return True


def _is_edited(tables: Tables, move: Move) -> bool:
    # Without a run, it does not matter whether the entry was edited.
    if move.run is None:
        return False
    defined = tables.defined.get(move.name)
    return defined is None or defined.revision != move.run.revision


def _counted(planned: Planned, move: Move) -> Planned:
    # `counts` is the number of the move's runs that count towards `max_runs`.
    last = planned.last
    if move.run is not None and move.counts:
        moment = move.run.occurrence.planned
        last = moment if last is None else max(last, moment)
    return Planned(planned.name, planned.plan, planned.runs + move.counts, last)


def _leave(tables: Tables, move: Move, term: Term, at: datetime) -> None:
    # The reserved run, the skipped moments, and the missed moments that are still to be published.
    if move.run is not None:
        run = move.run
        tables.put(
            Claimed(run.occurrence, run.task_id, run.due, at, term.number, False, run.origin)
        )
    origin = "planned" if move.request is None else origin_of(move.request)
    for skip in move.skips:
        add_line(tables, at, skipped(move.name, skip, "", term.number, origin), None)
    if move.backlog is not None:
        tables.put(Asked(move.backlog))


def settle(tables: Tables, result: Result) -> None:
    """Record whether the message of a reserved run was published. A second call has no effect.

    A published or rejected run moves to the history; a rejected run also stops counting as running.
    "unsent" only marks the run; "unknown" changes nothing. If the run was reserved again since,
    only "published" counts.
    """
    occurrence, sent = result.run.occurrence, result.outcome.sent
    claim = tables.claims.get(occurrence)
    fact = sent == "confirmed"
    if claim is not None and not fact and result.claimed_at not in (None, claim.claimed_at):
        return
    if sent == "unsent" and claim is not None:
        tables.put(replace(claim, unsent=True))
    if sent not in ("confirmed", "rejected"):
        return
    number = tables.line_of.get(occurrence)
    if claim is not None:
        tables.put(Closed(occurrence))
    if number is not None:
        told = tables.lines[number].record.state
        if told == "published" or (claim is None and not fact):
            return
        tables.put(Forgotten(number, number))
    # Without a claim or a line, the store lost or deleted it; the result is recorded all the same.
    term = 0 if claim is None else claim.term
    add_line(tables, result.at, _ended(result.run, result, term), occurrence)
    if not fact:
        end_run(tables, result.run.task_id, result.at)


def _ended(run: Run, result: Result, term: int) -> Record:
    rejected = result.outcome.sent == "rejected"
    return Record(
        run.occurrence.name,
        run.occurrence.planned,
        "failed" if rejected else "published",
        result.outcome.reason if rejected else "",
        run.task_id,
        published=None if rejected else result.at,
        late=None if rejected else (result.at - run.due).total_seconds(),
        term=term,
        origin=run.origin,
    )


def drop_requests(tables: Tables, dropped: Iterable[Request], reason: str, at: datetime) -> None:
    """Delete requests for runs, and record their runs as skipped in the history, with a reason."""
    for request in dropped:
        tables.put(Done(request.id))
        several = request.last > request.first
        skip = Skip(request.first, request.last, 1, reason, at_least=several)
        add_line(tables, at, skipped(request.name, skip, "", 0, origin_of(request)), None)


def origin_of(request: Request) -> Origin:
    """Return why the runs of a request exist: "trigger", "backfill", or "catch-up" for missed
    runs."""
    return "catch-up" if request.kind == "backlog" else request.kind


def skipped(name: str, skip: Skip, task_id: str, term: int, origin: Origin = "planned") -> Record:
    """Return the history record of a series of runs that was skipped.

    `task_id` is the id of a reserved run that is skipped, or "" if the runs were not reserved.
    """
    until = skip.until if skip.until > skip.planned else None
    return Record(
        name,
        skip.planned,
        "skipped",
        skip.reason,
        task_id,
        until=until,
        count=skip.count,
        at_least=skip.at_least,
        term=term,
        origin=origin,
    )


def add_line(tables: Tables, at: datetime, record: Record, claim: Occurrence | None) -> None:
    """Append a record to the history. If it then has over 110,000, delete the oldest 10,000.

    `claim` names the reserved run (entry and planned time) that the record completes, or is None.
    """
    tables.put(Line(tables.lines.next, at, record, claim))
    if len(tables.lines) > LINES + LINES // 10:
        tables.put(Forgotten(tables.lines.first, tables.lines.next - 1 - LINES))
