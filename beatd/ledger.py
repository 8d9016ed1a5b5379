"""The ledger of a store: plans, claims, requests, terms and history.

A run goes through the ledger in two steps. `claim` checks that the row has not changed since it was
read, moves the plan to the next moment, and writes an open claim. `record` closes the claim with
the outcome of the message. Between the two steps the outcome is unknown, and `unknowns` returns the
open claim.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EntryFinder, EntryWriter, Plan, Stored
from beatd.clock import SharedClock
from beatd.leader import Holder, Term
from beatd.publisher import Outcome, Push
from beatd.run import Occurrence, Origin, Run, Skip, State


class Request(Struct, frozen=True):
    """A request to run the moments of an entry from `first` to `last`, besides its plan.

    The leader publishes them, oldest request first. The runs of a `trigger` or `backfill` are new
    tasks: their ids are computed from the request's random `id`, and they change neither the plan
    nor `runs`. A `backlog` contains missed moments of the plan, which `catch_up: all` still has to
    publish. `revision` is the entry's revision when the request was made.
    """

    id: str
    name: str
    kind: Literal["trigger", "backfill", "backlog"]
    first: datetime
    last: datetime
    revision: int


class OpenClaim(Struct, frozen=True):
    """A run that the leader claimed (reserved for sending) and whose outcome is not recorded.

    `term` is the fencing number of that leader. `unsent` is True if the message was certainly not
    sent.
    """

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool
    stored: Stored | None  # None: the entry was removed


class RunningChange(Struct, frozen=True):
    """The condition on the running run of an entry whose `overlap` is not "allow", and its change.

    The ledger makes a move (one change of one row) only if the condition is true:

    - `seen`: the running run has this task id ("": the entry has no running run).
    - `is_over`: if True, the `until` of the running run in the ledger is not after the time of the
      claim. A run that was prolonged since it was read is therefore never overlapped.

    Then the ledger changes the running run:

    - `until` set, in a move with a run: this run becomes the running one until `until`. If it
      already was the running one, its `since` and `waits` do not change.
    - `until` set, in a move of the plan without a run: the plan waits for the running run, which
      counts as running until `until`.
    - `ends`: if True, the running run is deleted, and a plan that waits for it is due at the time
      of the claim.
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
    - of "claim": `seen` is the `claimed_at` of the open claim (claimed, not recorded).

    With each of them, the ledger writes an open claim for `run` (an existing one is claimed anew),
    records `skips`, adds `backlog` as a request, and adds `counts` to the entry's runs. A move of
    an open claim without a run closes the claim and records its skip.

    `running` is set for an entry whose `overlap` is not "allow". `revokes` is the task id of the
    running run if the workers must end that run after the move, else "".
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

    After "unknown" and "unsent" the claim remains open; "unsent" also marks the claim as not sent.
    If `claimed_at` is given and the run was claimed again since then, the ledger ignores all
    outcomes but "confirmed".
    """

    run: Run
    outcome: Outcome
    at: datetime
    claimed_at: datetime | None = None

    @property
    def late(self) -> float | None:
        """The seconds from the due moment to `at`; None if the run was not confirmed or was
        requested by hand."""
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


class HistoryPage(Struct, frozen=True):
    """A page of the history, newest record first.

    `rest` is the place where the next page begins; "" after the last one.
    """

    records: Sequence[Record]
    rest: str


class Ledger(Protocol):
    """The part of a store that reads the plan, open claims (claimed, not recorded) and requests."""

    @property
    def namespace(self) -> UUID:
        """The random namespace of the store's task ids, which keeps the ids of two stores apart."""

    def version(self) -> str:
        """Return a text that changes if and only if any entry changes."""

    def upcoming(self, limit: int) -> Sequence[Stored]:
        """Return up to `limit` rows of the plan, the earliest due moment first.

        An index makes this cheap for any number of entries. An entry whose definition this program
        cannot read is not returned; `beatd check` reports it.
        """

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        """Return up to `limit` open claims (claimed, not recorded), oldest claim first.

        It returns claims made before the moment `before`, and all claims that are marked as unsent.
        As in `upcoming` and `requests`, entries that this program cannot read are left out.
        """

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return up to `limit` pending requests (moments to run besides the plan), oldest first.

        Each comes with its entry, or None if the entry was removed.
        """

    def drop_cached(self, names: Sequence[str]) -> None:
        """Delete the entries `names` from the caches of this process, as they may have been
        removed."""


class Claims(Protocol):
    """The part of a store that writes claims of runs and their outcomes."""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        """Make each move (one change of one row) whose row is still as `seen`; return True for each
        made.

        Each move is atomic. The store writes `at` as the `claimed_at` of the claims. A move is
        refused (False) in these cases:

        - of "plan": the row has another planned moment or revision, or is disabled or paused.
        - of "request": the request has another first moment.
        - of "claim": the open claim has another `claimed_at`.
        - of "request" or "claim", with a run: the entry is not at the run's revision, because it
          was edited.
        - with `running`: the condition of `running` is false.

        Raise Deposed, with nothing done, if `term` is not the ledger's newest.
        """

    def record(self, results: Sequence[Result]) -> None:
        """Write the outcomes to the history, and close the claims that have a final outcome.

        A second call with the same results does no harm. A result from an older term (the fencing
        number of a leader) is accepted too, because a confirmed message is a fact. The record
        replaces the open claim, or the skip record of a run whose outcome was unknown. A rejected
        run no longer counts as running.
        """

    def atomic(self) -> "AtomicLedger | None":
        """Return this object as an AtomicLedger, or None if this store cannot push a message as
        part of a claim."""


class HeldClaim(Protocol):
    """A claim that has locked its rows but has not claimed anything yet.

    `make` completes the claim. `drop`, or the end of the process, undoes it.
    """

    def make(self) -> Sequence[bool]:
        """Complete the claim; return and raise as `Claims.claim` does."""

    def drop(self) -> None: ...


@runtime_checkable
class HoldingLedger(Protocol):
    """The optional part of a store that can begin a claim early, where a claim takes long."""

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldClaim | None:
        """Lock the rows of a claim that is due at `at`, in some milliseconds, and claim nothing
        yet.

        The same thread must call `make` or `drop` of the result before it writes anything else.
        Return None if this would save no time or has failed; the later `claim` then raises the
        cause.
        """


# Returns one outcome per move: confirmed; rejected (the broker refused the push; it is recorded as
# failed); or None if the row was not as seen. Raises Deposed or StoreError. A second step with the
# same moves does nothing and returns the same outcomes.
StepOutcomes = Callable[[], Sequence[Outcome | None]]


class Step(Protocol):
    """A batch that one script will claim, push to the broker and record."""

    def send_ahead(self) -> None:
        """Transfer the batch's data to the server a few milliseconds before `begin`, to save time.

        Nothing is claimed yet. The caller must call `begin` or `drop` afterwards.
        """

    def drop(self) -> None:
        """Discard the batch and the data that `send_ahead` transferred; call this instead of
        `begin`."""

    def begin(self, term: Term, at: datetime) -> StepOutcomes:
        """Send the script, which claims under `term` at the time `at`; do not wait for the reply.

        The returned function waits for the reply and returns the outcomes; the caller must call it.
        """


class AtomicLedger(Claims, Protocol):
    """The claims of a ledger in Redis, which can publish in the same script.

    If the broker is the same Redis, a claim and the pushes of its messages are one script, and no
    outcome is ever unknown.
    """

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        """Return a step that will make the moves and push their messages; nothing is done yet.

        A move is one change of one row. `pushes` contains the pushes of each move, in the same
        order.
        """

    def write_up(self, limit: int) -> bool:
        """Write up to `limit` lines of history that steps postponed; return True if more are left.

        The methods of `History` already return these lines before they are written.
        """

    def server(self) -> tuple[str, int] | None:
        """Return the (run_id, db) of the ledger's Redis; None if a queue may be on another server.

        The caller compares the result with that of the broker.
        """


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
        """Return up to `limit` pending requests, oldest first.

        Each comes with its entry, or None if the entry was removed.
        """

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Add requests, which the leader will publish; ignore a request whose id is already
        pending."""


class History(Protocol):
    """The part of a store that reads and deletes the records of runs."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield up to `limit` records of the entry `name` (None: of all), the last written first.

        Open claims (claimed, not recorded) are included, with the state "claimed".
        """

    def history_page(self, name: str | None, limit: int, place: str = "") -> HistoryPage:
        """Return up to `limit` records of the entry `name` (None: of all), the last written first.

        `place` is the `rest` of the page before; "" is the newest record. Open claims are on the
        first page. A page may have fewer records although more follow.
        """

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        """Return up to `limit` records of each of these entries, the last written first.

        Open claims are left out, and so is an entry without a record.
        """

    def open_claims(self) -> int:
        """Return the number of open claims (claimed, not recorded), including those of unreadable
        entries."""

    def forget(self, before: datetime, keep: int) -> int:
        """Delete the records older than `before` and all but the newest `keep`; return their
        number.

        The store deletes them in small batches. Open claims (claimed, not recorded) are never
        deleted.
        """
