"""The ledger of a store: plans, claims, requests, terms and history.

A run goes through the ledger in two steps. `claim` compares the row with what was read, moves the
plan on and leaves an open claim. `record` closes the claim with the outcome of the message. Between
the two steps the outcome is unknown, and the next leader finds the claim in `unknowns`.
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
    """Moments to run besides the plan; the leader works requests off, oldest first.

    The kinds `trigger` and `backfill` give their occurrences a random id: these are new tasks,
    which change neither plan nor runs. A `backlog` holds moments that `catch_up: all` still has to
    publish: its occurrences are the plan's. `revision` is the entry's when the request was made.
    """

    id: str
    name: str
    kind: Literal["trigger", "backfill", "backlog"]
    first: datetime
    last: datetime
    revision: int


class OpenClaim(Struct, frozen=True):
    """A run that was claimed and not recorded; `unsent` is True if it certainly did not go out."""

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool
    stored: Stored | None  # None: the entry was removed


class Move(Struct, frozen=True, kw_only=True):
    """One step of one row, made only if the row is still as it was `seen`.

    - of a plan: `seen` is the planned moment, `plan` the next one.
    - of a request: `seen` is its first moment, `first` the next one (None: the request is done).
    - of an open claim: `seen` is claimed_at.

    In each case `run` opens a claim (that of an open claim: anew), `skips` are recorded, `backlog`
    becomes a request, and `counts` adds to the entry's runs. Without a run, the skip closes an open
    claim.
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
    """The outcome of a claimed run. An unknown one leaves the claim open, an unsent one marks it.

    When `claimed_at` is given and the claim was made anew since, only "confirmed" changes it.
    """

    run: Run
    outcome: Outcome
    at: datetime
    claimed_at: datetime | None = None

    @property
    def late(self) -> float | None:
        """Return the lateness in seconds; None when the run did not go out, or was requested by
        hand and has no moment to be late for."""
        if self.outcome.sent != "confirmed" or self.run.occurrence.request:
            return None
        return max(0.0, (self.at - self.run.due).total_seconds())


class Record(Struct, frozen=True):
    """A line of history. A stretch of skipped moments is one line, with `until` and `count`."""

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
    """What the engine reads of a store: the next rows, open claims and requests."""

    @property
    def namespace(self) -> UUID:
        """The namespace of the store's task ids: random, so that no two stores share an id."""

    def version(self) -> str:
        """Return a text that changes if and only if an entry does."""

    def upcoming(self, limit: int) -> Sequence[Stored]:
        """Return the next rows of the plan by due moment; an index makes this cheap for any number
        of entries.

        An entry whose definition this program cannot read is left out; `beatd check` reports it.
        """

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        """Return the open claims made before a moment and all unsent ones, oldest claim first.

        As in `upcoming` and `requests`, entries that this program cannot read are left out.
        """

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return the pending requests with their entries, oldest request first."""

    def drop_cached(self, names: Sequence[str]) -> None:
        """Drop these entries, which may be gone, from the memory of this process."""


class Claims(Protocol):
    """What dispatch writes to a store: the claims of runs, and their outcomes."""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        """Make each move atomically, and return for each True if its row was as seen.

        A plan row matches on planned moment, revision, enabled and not paused; a request on its
        first moment; an open claim on claimed_at. If a request or an open claim comes with a run,
        the entry must be at the run's revision: an edit made before the claim is honoured.
        Raise Deposed, with nothing done, when `term` is not the ledger's newest.
        """

    def record(self, results: Sequence[Result]) -> None:
        """Close the claims of the results; doing it twice changes nothing.

        A result belongs to its claim, not to a term, and is accepted late: "published" is a fact,
        which replaces an open claim, or the skip of a run whose outcome was unknown.
        """

    def atomic(self) -> "AtomicLedger | None":
        """Return these claims as an AtomicLedger, or None where no claim can push a message."""


class HeldClaim(Protocol):
    """Dropped, or left by a process that ends, it is as if it had not been."""

    def make(self) -> Sequence[bool]:
        """As `claim` answers, and raises."""

    def drop(self) -> None: ...


@runtime_checkable
class HoldingLedger(Protocol):
    """What a ledger may offer besides, where a claim takes long."""

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldClaim | None:
        """Begin a claim for a moment a few milliseconds ahead: rows are locked, nothing is claimed.

        The thread that called it makes or drops it before it writes anything else. None where
        nothing would be gained, or it failed: the claim itself will tell why.
        """


# Per move: confirmed; rejected (the push failed, the broker's reason; recorded as failed); or None
# where the row was not as seen. Raises Deposed or StoreError. Of two steps with the same moves the
# second does nothing and answers the same.
Outcomes = Callable[[], Sequence[Outcome | None]]


class Step(Protocol):
    """A batch that is ready to be claimed, pushed and recorded in one."""

    def send_ahead(self) -> None:
        """A few milliseconds before it is begun: what can be is on its server by then. It must be
        begun or dropped."""

    def drop(self) -> None:
        """It will not be begun."""

    def begin(self, term: Term, at: datetime) -> Outcomes:
        """Hand it over to the server. What is returned must be called: it waits for the end."""


class AtomicLedger(Claims, Protocol):
    """A ledger in a Redis: where the broker is the same one, claim and push are one step, and
    nothing is unknown."""

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        """Return a step that makes the moves and pushes once it is begun; nothing is done yet."""

    def write_up(self, limit: int) -> bool:
        """Write up to `limit` lines of history that steps left for an idle moment; return True if
        there are more. Every reader finds these lines before they are written, too."""

    def server(self) -> tuple[str, int] | None:
        """Return the server's (run_id, db), to be compared with the broker's; None where a queue
        may lie on another server than the ledger."""


class Terms(SharedClock, Protocol):
    """The role of issuing terms: only the holder of the newest one may claim."""

    def begin(self, holder: Holder) -> Term:
        """Issue the next term: the number raised by one, and a new token, atomically.

        Older terms are refused from here on. After it, `namespace` is read again from the store.
        """

    def term(self) -> tuple[Term, Holder] | None:
        """Return the newest term and its holder, or None before the first."""


class Requests(EntryFinder, EntryWriter, Protocol):
    """The role of requesting runs by hand."""

    @property
    def namespace(self) -> UUID:
        """The namespace of the store's task ids: random, so that no two stores share an id."""

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return the pending requests with their entries, oldest request first."""

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Add requests, which the leader works off. A pending request is not added again."""


class History(Protocol):
    """The records of runs."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the records, newest first by the time they were written; open claims are among
        them, as "claimed"."""

    def open_claims(self) -> int:
        """Return the number of open claims; no entry is read, so that none of them hides one."""

    def forget(self, before: datetime, keep: int) -> int:
        """Delete records older than `before`, and all but the newest `keep`, in small batches;
        return their number. Open claims are never deleted."""
