"""Compute the moves of due rows, open claims and requests.

A move is one change of one row: the row moves on to its next moment and, with a run, a message is
published. All functions are pure: nothing changes until the ledger makes the move.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.catch_up import if_found, why_at_an_end, why_not
from beatd.ledger import Move, OpenClaim, Request
from beatd.planning import USED_UP, NextAfter, due_at, late_reason, next_moment, settle
from beatd.run import Occurrence, Run, Skip, task_id


def unknown(_: Skip) -> str:
    """Return an empty text, the default where the causes of missed moments are not tracked."""
    return ""


class Mover:
    """Computes the moves (changes of one row each) for one store.

    `namespace` makes the task ids. `cause_of` returns why a moment was missed, or "".
    """

    def __init__(
        self, namespace: UUID, next_after: NextAfter, cause_of: Callable[[Skip], str] = unknown
    ) -> None:
        self._namespace, self._next_after, self._cause_of = namespace, next_after, cause_of
        self._if_found = if_found(next_after)

    def due(self, row: Stored, now: datetime) -> Move:
        """Return the move that takes a due row to its next moment.

        The catch-up rule decides which missed moments run now, run later (as a backlog) or are
        skipped.
        """
        assert row.plan.planned is not None
        settled = settle(row, now, self._next_after)
        name, run, backlog = row.entry.name, None, None
        if settled.publish is not None:
            run = self._run(row, Occurrence(name, settled.publish), now)
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
        )

    def _with_cause(self, skip: Skip) -> Skip:
        """Return the skip with the cause of the miss, such as an outage, added to its reason."""
        cause = "" if skip.reason == USED_UP else self._cause_of(skip)
        return replace(skip, reason=f"{skip.reason} ({cause})") if cause else skip

    def _run(self, row: Stored, occurrence: Occurrence, now: datetime) -> Run:
        """Return the run of an occurrence (a planned moment), with its task id, due moment and
        expiry."""
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
        )

    def again(self, claim: OpenClaim, unsent: bool, now: datetime) -> Move:
        """Return the move of an open claim, a run that was claimed and whose outcome is not
        recorded.

        The move claims the run anew, to send it again, or closes the claim with the reason why it
        is not sent. `unsent` is True if its message certainly did not go out.
        """
        row, planned = claim.stored, claim.occurrence.planned
        reason = why_not(claim, unsent, now, self._if_found)
        run: Run | None = None
        skips: tuple[Skip, ...] = ()
        if row is not None and not reason:
            run = self._run(row, claim.occurrence, now)
        else:
            skips = (Skip(planned, planned, 1, reason),)
        return Move(
            of="claim",
            name=claim.occurrence.name,
            revision=0 if row is None else row.revision,
            seen=claim.claimed_at,
            open_claim=claim,
            run=run,
            skips=skips,
        )

    def asked(
        self, request: Request, row: Stored | None, now: datetime, limit: int
    ) -> Iterator[Move]:
        """Yield the moves of up to `limit` moments of a request, oldest first.

        A request is a range of moments to run besides the plan. Each move assumes that the ledger
        has made the one before.
        """
        for _ in range(limit):
            move = self._asked(request, row, now)
            yield move
            if move.first is None or row is None:
                return
            request = replace(request, first=move.first)
            row = replace(row, runs=row.runs + move.counts)

    def _asked(self, request: Request, row: Stored | None, now: datetime) -> Move:
        """Return the move of the request's first moment, which runs or is skipped as too late.

        If the request must be dropped, its only move skips all its moments.
        """
        backlog = request.kind == "backlog"
        reason = why_at_an_end(request, row)
        if row is None or reason:
            rest = Skip(request.first, request.last, 1, reason, at_least=True)
            return self._step(request, row, skips=(rest,))
        following = None
        if request.kind != "trigger":
            following = next_moment(row.entry, request.first, self._if_found)
        if following is not None and following > request.last:
            following = None
        late = late_reason(row.entry, request.first, now) if backlog else ""
        if late:
            skip = Skip(request.first, request.first, 1, late)
            return self._step(request, row, first=following, skips=(skip,))
        occurrence = Occurrence(request.name, request.first, "" if backlog else request.id)
        run = self._run(row, occurrence, now)
        return self._step(request, row, first=following, run=run, counts=int(backlog))

    def _step(
        self,
        request: Request,
        row: Stored | None,
        *,
        first: datetime | None = None,
        run: Run | None = None,
        counts: int = 0,
        skips: tuple[Skip, ...] = (),
    ) -> Move:
        """Return a move of the request; `first` is its next moment, or None if the request is
        done."""
        return Move(
            of="request",
            name=request.name,
            revision=0 if row is None else row.revision,
            seen=request.first,
            request=request,
            first=first,
            run=run,
            counts=counts,
            skips=skips,
        )
