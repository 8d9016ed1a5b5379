"""Decide for each due entry and each requested run: send the run, skip it, or let it wait.

A decision is a Move, one change of a row in the store. This module writes no change itself.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.catch_up import settle
from beatd.ledger import Move, OpenClaim, Request, Result
from beatd.may_still_run import if_found, why_at_an_end, why_not
from beatd.overlap import end_of_claim, settle_in_turn, turn_of_claim, turn_of_request
from beatd.planning import (
    LATE_REASONS,
    MISSED,
    NextAfter,
    due_at,
    late_reason,
    next_moment,
)
from beatd.publisher import Outcome
from beatd.run import Occurrence, Origin, Run, Skip, task_id


def unknown(_: Skip) -> str:
    # The default for `cause_of`: the reason for missed runs is not known.
    return ""


class Mover:
    """Decides for each due entry and each requested run whether it is sent, skipped or waits.

    A decision is a Move, one change to make in the store. `cause_of` returns why a run was missed,
    or "".
    """

    def __init__(
        self, namespace: UUID, next_after: NextAfter, cause_of: Callable[[Skip], str] = unknown
    ) -> None:
        self._namespace, self._next_after, self._cause_of = namespace, next_after, cause_of
        self._if_found = if_found(next_after)

    def due(self, row: Stored, now: datetime) -> Move:
        """Return what to do with a due entry: the run to send, runs to skip, and its next run."""
        assert row.plan.planned is not None and row.plan.due is not None
        if row.entry.overlap == "allow":
            settled, turn = settle(row, now, self._next_after), None
        else:
            settled, turn = settle_in_turn(row, now, self._next_after, settle)
        name, run, backlog = row.entry.name, None, None
        if settled.publish is not None:
            missed = settled.skips and settled.skips[0].reason == MISSED
            origin: Origin = "catch-up" if missed else "planned"
            run = self._run(row, Occurrence(name, settled.publish), now, origin)
            if turn is not None:  # it may have waited for the end of a run until now
                run = replace(run, due=max(run.due, row.plan.due))
        if settled.backlog is not None:
            first, last = settled.backlog
            id = task_id(self._namespace, Occurrence(name, first, "backlog"))
            backlog = Request(id, name, "backlog", first, last, row.revision)
        return Move(
            of="plan",
            name=name,
            revision=row.revision,
            seen=row.plan.planned,
            plan=settled.plan,
            run=run,
            counts=0 if run is None else 1,
            skips=tuple(map(self._with_cause, settled.skips)),
            backlog=backlog,
            running=None if turn is None else turn.running,
            revokes="" if turn is None else turn.revokes,
        )

    def _with_cause(self, skip: Skip) -> Skip:
        cause = self._cause_of(skip) if skip.reason.startswith(LATE_REASONS) else ""
        return replace(skip, reason=f"{skip.reason} ({cause})") if cause else skip

    def _run(self, row: Stored, occurrence: Occurrence, now: datetime, origin: Origin) -> Run:
        entry, planned, expires = row.entry, occurrence.planned, None
        # A run requested by hand has no jitter: it runs as soon as possible.
        due = planned if occurrence.request else due_at(entry, planned, self._if_found)
        if entry.options.get("expires") == "next":
            expires = next_moment(entry, max(now, planned), self._if_found)
        return Run(
            occurrence=occurrence,
            task_id=task_id(self._namespace, occurrence),
            entry=entry,
            revision=row.revision,
            due=due,
            expires=expires,
            origin=origin,
        )

    def of_claim(self, claim: OpenClaim, unsent: bool, now: datetime) -> Move | None:
        """Return how to finish a run that was reserved but not recorded as sent, as after a crash.

        The result is a change that sends the run again or gives it up with a reason, or None if the
        run must wait for another run of its entry. `unsent` is True if the message was certainly
        not sent.
        """
        row, planned, id = claim.stored, claim.occurrence.planned, claim.task_id
        reason = why_not(claim, unsent, now, self._if_found)
        run, running, skips = None, end_of_claim(row, id, unsent), tuple[Skip, ...]()
        if row is None or reason:
            skip = Skip(planned, planned, 1, reason)
            skips = (self._with_cause(skip),)
        else:
            run, running = self._run(row, claim.occurrence, now, "resend"), None
            run = replace(run, due=claim.due)  # its jitter may have been edited since
            if row.entry.overlap != "allow":
                running = turn_of_claim(row, id, now)
                if running is None:
                    return None
        return Move(
            of="claim",
            name=claim.occurrence.name,
            revision=0 if row is None else row.revision,
            seen=claim.claimed_at,
            open_claim=claim,
            run=run,
            skips=skips,
            running=running,
        )

    def arrived(self, claim: OpenClaim, row: Stored, now: datetime) -> Result:
        """Return the result "confirmed" for a run whose sending was not recorded.

        A worker has reported the run, so its message has arrived.
        """
        origin: Origin = "trigger" if claim.occurrence.request else "planned"
        run = replace(self._run(row, claim.occurrence, now, origin), due=claim.due)
        return Result(run, Outcome("confirmed"), claim.claimed_at, claim.claimed_at)

    def of_request(
        self, request: Request, row: Stored | None, now: datetime, limit: int
    ) -> Iterator[Move]:
        """Yield the changes of the store that send the runs of a request, at most `limit` of them.

        Each change is valid only if those before it are made. The iterator ends early if a run has
        to wait for another one.
        """
        for _ in range(limit):
            move = self._of_first_moment(request, row, now)
            if move is None:
                return
            yield move
            if move.first is None or row is None or move.running is not None:
                return
            request = replace(request, first=move.first)
            row = replace(row, runs=row.runs + move.counts)

    def _of_first_moment(self, request: Request, row: Stored | None, now: datetime) -> Move | None:
        backlog = request.kind == "backlog"
        reason = why_at_an_end(request, row)
        step = partial(
            Move,
            of="request",
            name=request.name,
            revision=0 if row is None else row.revision,
            seen=request.first,
            request=request,
        )
        if row is None or reason:
            rest = Skip(request.first, request.last, 1, reason, at_least=True)
            return step(skips=(rest,))
        following = None
        if request.kind != "trigger":
            following = next_moment(row.entry, request.first, self._if_found)
        if following is not None and following > request.last:
            following = None
        late = late_reason(row.entry, request.first, now) if backlog else ""
        if late:
            return step(first=following, skips=(Skip(request.first, request.first, 1, late),))
        running = None
        if row.entry.overlap != "allow":
            turn = turn_of_request(request, row, now)
            if turn is None:
                # It waits for another run of its entry.
                return None
            if turn.skip:
                skip = Skip(request.first, request.first, 1, turn.skip)
                return step(skips=(skip,), running=turn.running)
            if turn.until is not None:
                return step(first=request.first, running=turn.running, revokes=turn.revokes)
            running = turn.running
        occurrence = Occurrence(request.name, request.first, "" if backlog else request.id)
        origin: Origin = "catch-up" if request.kind == "backlog" else request.kind
        run = self._run(row, occurrence, now, origin)
        return step(first=following, run=run, counts=int(backlog), running=running)
