"""The ledger of a store: plans, claims, requests, terms and history.

A run goes through the ledger in two steps. `claim` checks that the row is as it was read, moves the
plan to the next moment and leaves an open claim. `record` closes the claim with the outcome of the
message. Between the two steps the outcome is unknown, and `unknowns` returns the claim.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EntryFinder, EntryWriter, Plan, Stored
from beatd.clock import SharedClock
from beatd.leader import Holder, Term
from beatd.publisher import Outcome, Push
from beatd.run import Occurrence, Run, Skip, State


class Request(Struct, frozen=True):
    """Moments of an entry to run besides its plan, from `first` to `last`; the leader publishes
    them, oldest request first.

    A `trigger` or `backfill` gives its occurrences the request's random id: they are new tasks,
    which change neither the plan nor `runs`. A `backlog` holds missed moments that `catch_up: all`
    still has to publish; its occurrences are those of the plan. `revision` is that of the entry
    when the request was made.
    """

    id: str
    name: str
    kind: Literal["trigger", "backfill", "backlog"]
    first: datetime
    last: datetime
    revision: int


class OpenClaim(Struct, frozen=True):
    """A run that was claimed under the number `term` and whose outcome is not recorded. `unsent` is
    True if its message certainly did not go out."""

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool
    stored: Stored | None  # None: the entry was removed


class Move(Struct, frozen=True, kw_only=True):
    """One change of one row, which the ledger makes only if the row is still in the state `seen`.

    - of "plan": `seen` is the planned moment, `plan` the next plan.
    - of "request": `seen` is the request's first moment, `first` the next one (None: the request is
      done).
    - of "claim": `seen` is the `claimed_at` of the open claim.

    In each case `run` opens a claim (an open claim is claimed anew), `skips` are recorded,
    `backlog` is added as a request, and `counts` is added to the entry's runs. A move of an open
    claim without a run closes the claim with its skip.
    """

    of: Literal["plan", "request", "claim"]
    name: str
    revision: int
    seen: datetime
    plan: Plan | None = None
    request: Request | None = None
    first: datetime | None = None
    open_claim: OpenClaim | None = None
    run: Run | None = None
    counts: int = 0
    skips: tuple[Skip, ...] = ()
    backlog: Request | None = None


class Result(Struct, frozen=True):
    """The outcome of a claimed run, noted at the time `at`.

    "unknown" leaves the claim open, "unsent" leaves it open and marks it as not sent. If
    `claimed_at` is given and the run was claimed anew since then, the ledger ignores all outcomes
    but "confirmed".
    """

    run: Run
    outcome: Outcome
    at: datetime
    claimed_at: datetime | None = None

    @property
    def late(self) -> float | None:
        """The time from due to `at` in seconds; None if the run was not confirmed, or was requested
        by hand and so has no due moment."""
        if self.outcome.sent != "confirmed" or self.run.occurrence.request:
            return None
        return max(0.0, (self.at - self.run.due).total_seconds())


class Record(Struct, frozen=True):
    """A record of history: how one run ended or, with `until` and `count`, which stretch of moments
    was skipped.

    `late` is in seconds. `at_least` is True if `count` is only a lower bound.
    """

    name: str
    planned: datetime
    state: State
    reason: str = ""
    task_id: str = ""
    published: datetime | None = None
    late: float | None = None
    until: datetime | None = None
    count: int = 1
    at_least: bool = False
    term: int = 0


class Ledger(Protocol):
    """The role of reading the next rows of the plan, open claims and requests."""

    @property
    def namespace(self) -> UUID:
        """The namespace of the store's task ids: random, so that no two stores share an id."""

    def version(self) -> str:
        """Return a text that changes if and only if any entry changes."""

    def upcoming(self, limit: int) -> Sequence[Stored]:
        """Return up to `limit` rows of the plan, the earliest due moment first. An index makes this
        cheap for any number of entries.

        An entry whose definition this program cannot read is left out; `beatd check` reports it.
        """

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        """Return up to `limit` open claims: those claimed before the moment `before` and all that
        are marked as unsent, oldest claim first.

        As in `upcoming` and `requests`, entries that this program cannot read are left out.
        """

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return the pending requests with their entries, oldest request first."""

    def drop_cached(self, names: Sequence[str]) -> None:
        """Drop these entries, which may have been removed, from the caches of this process."""


class Claims(Protocol):
    """The role of writing claims of runs and their outcomes, which a dispatch uses."""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        """Make each move atomically if its row is as `seen`, and return for each True if it was
        made. `at` is the time that is stored as `claimed_at`.

        The row of a plan must have the seen planned moment and revision, and be enabled and not
        paused; a request must have the seen first moment, an open claim the seen claimed_at. If a
        request or an open claim comes with a run, the entry must be at the run's revision, so that
        a claim never ignores an edit made before it. Raise Deposed, with nothing done, if `term` is
        not the ledger's newest.
        """

    def record(self, results: Sequence[Result]) -> None:
        """Write the outcomes, and close the claims that have a final one. It may be called twice.

        A result is accepted from an older term, too: a confirmed message is a fact. It replaces the
        open claim, or the skip of a run whose outcome was unknown.
        """

    def atomic(self) -> "AtomicLedger | None":
        """Return this object as an AtomicLedger, or None if this store cannot push a message as
        part of a claim."""


class HeldClaim(Protocol):
    """A claim that was begun and holds its rows locked. Nothing is claimed before `make`; `drop`,
    or the end of the process, undoes it."""

    def make(self) -> Sequence[bool]:
        """Finish the claim; return and raise as `Claims.claim` does."""

    def drop(self) -> None: ...


@runtime_checkable
class HoldingLedger(Protocol):
    """The optional role of beginning a claim early, for ledgers where a claim takes long."""

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldClaim | None:
        """Begin a claim for the moment `at`, a few milliseconds ahead: lock the rows, claim
        nothing.

        The calling thread must make or drop it before it writes anything else. Return None where
        this would save no time, or if it failed; the later `claim` raises the cause.
        """


# Returns one outcome per move: confirmed; rejected (the broker refused the push; it is recorded as
# failed); or None if the row was not as seen. Raises Deposed or StoreError. A second step with the
# same moves does nothing and returns the same outcomes.
Outcomes = Callable[[], Sequence[Outcome | None]]


class Step(Protocol):
    """A batch that is ready to be claimed, pushed to the broker and recorded in one script."""

    def send_ahead(self) -> None:
        """Transfer the batch's data to the server, a few milliseconds before `begin`, to save time
        then. Nothing is claimed; `begin` or `drop` must follow."""

    def drop(self) -> None:
        """Discard the batch, and what `send_ahead` transferred; `begin` is not called."""

    def begin(self, term: Term, at: datetime) -> Outcomes:
        """Send the script to the server, which claims under `term` at the time `at`, and return
        without its reply.

        The returned function waits for the reply and returns the outcomes; the caller must call it.
        """


class AtomicLedger(Claims, Protocol):
    """The claims of a ledger in Redis. If the broker is the same Redis, a claim and the pushes of
    its messages are one script, and no outcome is ever unknown."""

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        """Return a step that makes the moves and pushes the messages once it is begun. `pushes` has
        the pushes of each move, in the same order. Nothing is done yet."""

    def write_up(self, limit: int) -> bool:
        """Write up to `limit` lines of history that steps left for an idle moment; return True if
        there are more. Readers find these lines before they are written, too."""

    def server(self) -> tuple[str, int] | None:
        """Return the (run_id, db) of the ledger's Redis, which the caller compares with the
        broker's; None if a queue may lie on another server."""


class Terms(SharedClock, Protocol):
    """The role of issuing terms (fencing numbers); only the holder of the newest may claim."""

    def begin(self, holder: Holder) -> Term:
        """Issue the next term atomically: the old number plus one, and a new token.

        From then on the ledger refuses older terms. `namespace` is read again from the store.
        """

    def term(self) -> tuple[Term, Holder] | None:
        """Return the newest term and its holder; None if no term was issued yet."""


class Requests(EntryFinder, EntryWriter, Protocol):
    """The role of requesting runs by hand."""

    @property
    def namespace(self) -> UUID:
        """The namespace of the store's task ids: random, so that no two stores share an id."""

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return the pending requests with their entries, oldest request first."""

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Add requests, which the leader publishes; ignore those whose id is pending."""


class History(Protocol):
    """The role of reading and deleting the records of runs."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield up to `limit` records of the entry `name` (None: of all), the last written first.
        Open claims are among them, with the state "claimed"."""

    def open_claims(self) -> int:
        """Return the number of open claims, also of entries that this program cannot read."""

    def forget(self, before: datetime, keep: int) -> int:
        """Delete, in small batches, records older than `before` and all but the newest `keep`;
        return the number deleted. Open claims are never deleted."""
