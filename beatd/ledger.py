"""The ledger of a store: plans, claims, requests, terms and history.

A run goes through the ledger in two steps. `claim` checks that the row is as it was read, moves the
plan to the next moment and leaves an open claim. `record` closes the claim with the outcome of the
message. Between the two steps the outcome is unknown, and `unknowns` returns the claim.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EntryFinder, EntryWriter, Plan, Stored
from beatd.clock import SharedClock
from beatd.leader import Holder, Term
from beatd.outcome import Delivery
from beatd.publisher import Outcome, Push
from beatd.run import Occurrence, Origin, Run, Running, Skip, State


class Request(Struct, frozen=True):
    """Moments of an entry to run besides its plan, from `first` to `last`.

    The leader publishes them, oldest request first. A `trigger` or `backfill` gives its occurrences
    the request's random id: they are new tasks, which change neither the plan nor `runs`. A
    `backlog` holds missed moments that `catch_up: all` still has to publish; its occurrences are
    those of the plan. `revision` is that of the entry when the request was made.
    """

    id: str
    name: str
    kind: Literal["trigger", "backfill", "backlog"]
    first: datetime
    last: datetime
    revision: int


class OpenClaim(Struct, frozen=True):
    """A run that was claimed (under the number `term`) and whose outcome is not recorded. `unsent`
    is True if its message certainly did not go out."""

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool
    stored: Stored | None  # None: the entry was removed


class RunningChange(Struct, frozen=True):
    """The condition on the running run of an entry whose `overlap` is not "allow", and its change.

    The ledger makes the move only if the entry's running run is the one with the task id `seen`
    ("": the entry has none). If `is_over` is True, that run must not count as running any more
    either: its `until` in the ledger is not after the time of the claim. So a run that was
    prolonged since it was read is never overlapped. Then, if `until` is set: a move with a run
    makes this run the running one until `until`; a move without a run lets the plan (if it is a
    move of the plan) wait for the running one, which counts as running until `until`. A run that
    was the running one already keeps its `since` and `waits`. If `ends` is True, the running run
    is deleted, and a plan that waits for it is due at the time of the claim.
    """

    seen: str = ""
    until: datetime | None = None
    ends: bool = False
    is_over: bool = False


class Move(Struct, frozen=True, kw_only=True):
    """One change of one row, which the ledger makes only if the row is still in the state `seen`.

    - of "plan": `seen` is the planned moment, `plan` the next plan.
    - of "request": `seen` is the request's first moment, `first` the next one (None: the request is
      done).
    - of "claim": `seen` is the `claimed_at` of the open claim.

    `running` is set for an entry whose `overlap` is not "allow". `revokes` is the task id of the
    running run, if the workers have to end it after this move was made.

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
    running: RunningChange | None = None
    revokes: str = ""


class Result(Struct, frozen=True):
    """The outcome of a claimed run, which was known at the time `at`.

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
        """The seconds from the due moment to `at`; None if the run was not confirmed, or was
        requested by hand and so has no due moment."""
        if self.outcome.sent != "confirmed" or self.run.occurrence.request:
            return None
        return max(0.0, (self.at - self.run.due).total_seconds())


class Record(Struct, frozen=True):
    """A line of history about one run or, with `until` and `count`, about a stretch of skipped
    moments.

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
    origin: Origin = "planned"


class Ledger(Protocol):
    """The part of a store that reads the plan, open claims (claimed, not recorded) and requests."""

    @property
    def namespace(self) -> UUID:
        """The random namespace of the store's task ids, which keeps the ids of two stores apart."""

    def version(self) -> str:
        """Return a text that changes if and only if any entry changes."""

    def upcoming(self, limit: int) -> Sequence[Stored]:
        """Return up to `limit` rows of the plan, the earliest due moment first. An index makes this
        cheap for any number of entries.

        An entry whose definition this program cannot read is left out; `beatd check` reports it.
        """

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        """Return the running runs of these entries, or of all (None), by name. Only entries whose
        `overlap` is not "allow" have one."""

    def outcomes(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[Delivery]]:
        """Return what workers reported of these runs, oldest first; a run without a report is left
        out."""

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        """Return up to `limit` open claims (claimed, not recorded), oldest claim first: those
        claimed before the moment `before` and all that are marked as unsent.

        As in `upcoming` and `requests`, entries that this program cannot read are left out.
        """

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return up to `limit` pending requests (moments to run besides the plan), oldest first,
        each with its entry (None: removed)."""

    def drop_cached(self, names: Sequence[str]) -> None:
        """Drop the entries `names`, which may have been removed, from the caches of this
        process."""


class Claims(Protocol):
    """The part of a store that writes claims of runs and their outcomes."""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        """Make each move (one change of one row) whose row is still as `seen`; return True for each
        made.

        Each move is atomic. `at` is the time that is stored as `claimed_at`. The row of a plan must
        have the seen planned moment and revision, and be enabled and not paused; a request must
        have the seen first moment, an open claim the seen claimed_at. If a request or an open claim
        comes with a run, the entry must be at the run's revision, so that a claim never ignores an
        edit made before it. If a move has `running`, the entry's running run must be as it says.
        Raise Deposed, with nothing done, if `term` is not the ledger's newest.
        """

    def record(self, results: Sequence[Result]) -> None:
        """Write the outcomes to the history, and close the claims that have a final outcome.

        It may be called twice. A result is accepted from an older term, too: a confirmed message is
        a fact. It replaces the open claim, or the skip of a run whose outcome was unknown. A
        rejected run no longer counts as running.
        """

    def atomic(self) -> "AtomicLedger | None":
        """Return this object as an AtomicLedger, or None if this store cannot push a message as
        part of a claim."""


class HeldClaim(Protocol):
    """A claim that has locked its rows but has not claimed anything yet. `make` completes it;
    `drop`, or the end of the process, undoes it."""

    def make(self) -> Sequence[bool]:
        """Complete the claim; return and raise as `Claims.claim` does."""

    def drop(self) -> None: ...


@runtime_checkable
class HoldingLedger(Protocol):
    """The optional part of a store that can begin a claim early, where a claim takes long."""

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldClaim | None:
        """Lock the rows of a claim that is due at `at`, some milliseconds from now, without
        claiming them.

        The same thread must then complete or drop it before it writes anything else. Return None if
        this would save no time or has failed; the later `claim` then raises the cause.
        """


# Returns one outcome per move: confirmed; rejected (the broker refused the push; it is recorded as
# failed); or None if the row was not as seen. Raises Deposed or StoreError. A second step with the
# same moves does nothing and returns the same outcomes.
StepOutcomes = Callable[[], Sequence[Outcome | None]]


class Step(Protocol):
    """A batch that one script will claim, push to the broker and record."""

    def send_ahead(self) -> None:
        """Transfer the batch's data to the server a few milliseconds before `begin`, to save time
        then. Nothing is claimed; `begin` or `drop` must follow."""

    def drop(self) -> None:
        """Discard the batch and the data that `send_ahead` transferred, because `begin` is not
        called."""

    def begin(self, term: Term, at: datetime) -> StepOutcomes:
        """Send the script, which claims under `term` at the time `at`; do not wait for the reply.

        The returned function waits for the reply and returns the outcomes; the caller must call it.
        """


class AtomicLedger(Claims, Protocol):
    """The claims of a ledger in Redis. If the broker is the same Redis, a claim and the pushes of
    its messages are one script, and no outcome is ever unknown."""

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        """Return a step, which makes the moves and pushes their messages once it is begun. `pushes`
        has the pushes of each move, in the same order. Nothing is done yet."""

    def write_up(self, limit: int) -> bool:
        """Write up to `limit` lines of history that steps left for an idle moment; return True if
        there are more. Readers find these lines before they are written, too."""

    def server(self) -> tuple[str, int] | None:
        """Return the (run_id, db) of the ledger's Redis, which the caller compares with the
        broker's; None if a queue may lie on another server."""


class Terms(SharedClock, Protocol):
    """The part of a store that issues terms (fencing numbers); only the newest allows claims."""

    def begin(self, holder: Holder) -> Term:
        """Issue the next term for `holder`, atomically: the old number plus one, and a new token.

        From then on the ledger refuses older terms. `namespace` is read again from the store.
        """

    def term(self) -> tuple[Term, Holder] | None:
        """Return the newest term and its holder; None if no term was issued yet."""


class Requests(EntryFinder, EntryWriter, Protocol):
    """The part of a store that accepts requests for runs by hand."""

    @property
    def namespace(self) -> UUID:
        """The random namespace of the store's task ids, which keeps the ids of two stores apart."""

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return up to `limit` pending requests, oldest first, each with its entry (None:
        removed)."""

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Add requests, which the leader will publish; ignore a request whose id is already
        pending."""


class History(Protocol):
    """The part of a store that reads and deletes the records of runs."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield up to `limit` records of the entry `name` (None: of every entry), the last written
        first. Open claims are included, with the state "claimed"."""

    def open_claims(self) -> int:
        """Return the number of open claims (claimed, not recorded), also of entries that cannot be
        read."""

    def forget(self, before: datetime, keep: int) -> int:
        """Delete, in small batches, the records older than `before` and all but the newest `keep`;
        return the number deleted. Open claims are never deleted."""
