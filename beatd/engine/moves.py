"""Compute the moves of due rows, open claims and requests.

A move is one change of one row; computing it changes nothing until the ledger makes it.
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
    """Return an empty text, the default where causes of missed moments are not tracked."""
    return ""


class Mover:
    """Computes moves; `namespace` makes the task ids, `cause_of` tells why a moment was missed."""

    def __init__(
        self, namespace: UUID, next_after: NextAfter, cause_of: Callable[[Skip], str] = unknown
    ) -> None:
        self._namespace, self._next_after, self._cause_of = namespace, next_after, cause_of
        self._if_found = if_found(next_after)

    def due(self, row: Stored, now: datetime) -> Move:
        """Return a due row's move to its next moment; its catch-up rule decides on missed runs."""
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
        cause = "" if skip.reason == USED_UP else self._cause_of(skip)
        return replace(skip, reason=f"{skip.reason} ({cause})") if cause else skip

    def _run(self, row: Stored, occurrence: Occurrence, now: datetime) -> Run:
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
        """Return the move that sends an open claim (a run of unknown outcome) again, or closes
        it with a reason; `unsent` is True if its message certainly did not go out."""
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
        """Yield the moves of a request's first `limit` moments; each assumes the one before."""
        for _ in range(limit):
            move = self._asked(request, row, now)
            yield move
            if move.first is None or row is None:
                return
            request = replace(request, first=move.first)
            row = replace(row, runs=row.runs + move.counts)

    def _asked(self, request: Request, row: Stored | None, now: datetime) -> Move:
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
