"""What is planned, claimed and done: the heap of a million entries, kept in the store.

A run goes through it in two steps. `claim` compares the row with what was read, moves the plan on
and leaves an open claim; `record` closes the claim with what became of the message. Between the two
the outcome is unknown, and whoever leads next finds it in `unknowns`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EntryFinder, EntryWriter, Plan, Stored
from beatd.clock import StoreClock
from beatd.leader import Holder, Term
from beatd.publisher import Outcome, Push
from beatd.run import Occurrence, Run, Skip, State


class Request(Struct, frozen=True):
    """Moments asked for beside the plan, worked off oldest first.

    `trigger` and `backfill` carry a random id into their occurrences: new tasks, which leave plan
    and runs alone. `backlog` is what `catch_up: all` still owes: its occurrences are the plan's.
    `revision` is the entry's when it was made.
    """

    id: str
    name: str
    kind: Literal["trigger", "backfill", "backlog"]
    first: datetime
    last: datetime
    revision: int


class OpenClaim(Struct, frozen=True):
    """Claimed, and not recorded: `unsent` when it is certain that nothing went out."""

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool
    stored: Stored | None  # None: the entry was removed


class Move(Struct, frozen=True, kw_only=True):
    """One step of one row, made only if the row is still as it was `seen`.

    of the plan: `seen` is the planned moment and `plan` the next one. Of a request: `seen` is its
    first moment and `first` the next one (None = the request is done). Of an open claim: `seen` is
    claimed_at. In each case `run` opens a claim (an open claim's own: anew), `skips` go to the
    history, `backlog` becomes a request, and without a run an open claim is closed by its skip.
    `counts` adds to the entry's runs.
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
    """What became of a claimed run; `unknown` leaves its claim open, `unsent` marks it so.

    Where `claimed_at` is given, only "confirmed" touches a claim that was made anew since.
    """

    run: Run
    outcome: Outcome
    at: datetime
    claimed_at: datetime | None = None

    @property
    def late(self) -> float | None:
        """Seconds; None for what has no moment to be late for: it did not go out, or was asked for
        by hand."""
        if self.outcome.sent != "confirmed" or self.run.occurrence.request:
            return None
        return max(0.0, (self.at - self.run.due).total_seconds())


class Record(Struct, frozen=True):
    """A line of history. A stretch of skips is one line, with `until` and `count`."""

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
    """What the engine reads of a store: what is due, what is open, what was asked for."""

    @property
    def namespace(self) -> UUID:
        """Made at random once per store, so that two installations never share task ids."""

    def version(self) -> str:
        """Return a text that changes if and only if an entry does."""

    def upcoming(self, limit: int) -> Sequence[Stored]:
        """The next rows of the plan by due moment, read by index, whatever the number of entries.

        An entry whose definition this program cannot read is left out, and reported by `check`.
        """

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        """Open claims made before that moment, and the unsent ones; oldest claim first. Left out,
        like in `upcoming` and `requests`, are those of entries this program cannot read."""

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Pending requests with their entries, in the order they were asked for."""

    def drop_cached(self, names: Sequence[str]) -> None:
        """Drop what this process remembers of these entries, which may be gone."""


class Claims(Protocol):
    """What dispatch writes to a store: runs that are claimed, and what became of them."""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        """Atomic per move, fenced, batched: True where the row was as seen.

        A plan row matches on planned moment, revision, enabled and not paused; a request on its
        first moment; an open claim on claimed_at; and these two, where there is a run, on the
        entry being at the run's revision, so that an edit made before the claim is honoured.
        Raises Deposed, with nothing done, when `term` is not the ledger's newest.
        """

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> "HeldClaim | None":
        """A claim for a moment a few milliseconds ahead, as far as it goes before: rows may be
        locked, nothing is claimed. Its thread makes or drops it before it writes anything else.
        None where nothing would be gained, or it failed: the claim itself will tell why."""

    def record(self, results: Sequence[Result]) -> None:
        """Closes claims; matched to the claim and not to the term, and accepted late: "published"
        is a fact that overrides an open claim or a skip for being unknown. Idempotent."""

    def atomic(self) -> "AtomicLedger | None":
        """Return these claims as an AtomicLedger, or None where no claim can push a message."""


class HeldClaim(Protocol):
    """Dropped, or left by a process that ends, it is as if it had not been."""

    def make(self) -> Sequence[bool]:
        """As `claim` answers, and raises."""

    def drop(self) -> None: ...


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
        """Make them ready; nothing is done before the step is begun."""

    def write_up(self, limit: int) -> bool:
        """A step may leave its lines of history for an idle moment, as long as every reader finds
        them: write so many of them. Whether there are more."""

    def server(self) -> tuple[str, int] | None:
        """Return the server's (run_id, db), to be compared with the broker's; None where a queue
        may lie on another server than the ledger."""


class Terms(StoreClock, Protocol):
    """Who may claim, by whose clock."""

    def begin(self, holder: Holder) -> Term:
        """Raise the number by one and make a new token, atomically; older terms are refused from
        here on. What `namespace` answers after it is the store's own."""

    def term(self) -> tuple[Term, Holder] | None:
        """The newest one issued, or None before the first."""


class Requests(EntryFinder, EntryWriter, Protocol):
    """What commands need that ask for runs by hand."""

    @property
    def namespace(self) -> UUID:
        """Made at random once per store, so that two installations never share task ids."""

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Pending requests with their entries, in the order they were asked for."""

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Add requests; they are worked off by whoever leads. One that is pending is not added
        again."""


class History(Protocol):
    """What was done, for people."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Newest first by when it was written, open claims among them as "claimed"."""

    def open_claims(self) -> int:
        """Return the number of open claims; no entry is read, so that none of them hides one."""

    def forget(self, before: datetime, keep: int) -> int:
        """Drop records older than that, and all but the newest `keep`, in small batches; how many.
        Open claims never."""
