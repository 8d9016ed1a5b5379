"""The interface by which a store plans, reserves and records runs, and numbers its leaders.

A run is written in two steps. `claim` reserves it before its message is sent, and sets the plan to
the next moment. `record` writes the outcome. In between it is an open claim (see `unknowns`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EntryFinder, EntryWriter, Plan, Stored
from beatd.clock import SharedClock
from beatd.entry import Moment
from beatd.leader import Holder, Term
from beatd.publisher import Outcome, Push
from beatd.run import Occurrence, Run, Skip


class Request(Struct, frozen=True):
    """A request to run an entry for the moments from `first` to `last`, besides its next run.

    The leader publishes the runs, oldest request first. Runs of a `trigger` or `backfill` are new
    tasks: their ids are computed from the random `id`, and they change neither the plan nor `runs`.
    A `backlog` contains missed moments of the plan that `catch_up: all` still has to publish.
    `revision` is the entry's revision when the request was made.
    """

    id: str
    name: str
    kind: Literal["trigger", "backfill", "backlog"]
    first: Moment
    last: Moment
    revision: int


class OpenClaim(Struct, frozen=True):
    """A run that a leader reserved for sending, with no record yet of whether it was sent.

    `term` is the number of that leader. `unsent` is True if the message was certainly not sent.
    """

    occurrence: Occurrence
    task_id: str
    due: Moment
    claimed_at: Moment
    term: int
    unsent: bool
    stored: Stored | None  # None: the entry was removed


class RunningChange(Struct, frozen=True):
    """A change of which run of an entry counts as running, made only if a condition is true.

    It is for entries that do not allow overlap, as a part of a `Move`. The condition:

    - `seen`: the running run has this task id ("": the entry has no running run).
    - `is_over`: if True, the `until` of the running run in the store is not after the time of the
      claim. A run that was prolonged since it was read is therefore never overlapped.

    Then the store changes the running run:

    - `until` set, in a move with a run: this run becomes the running one until `until`. If it
      already was the running one, its `since` and `waits` do not change.
    - `until` set, in a move of the plan without a run: the plan waits for the running run, which
      counts as running until `until`. After any other move of the plan that has a `RunningChange`,
      the plan waits for no run.
    - `ends`: if True, the running run is deleted, and a plan that waits for it is due at once.
    """

    seen: str = ""
    until: Moment | None = None
    ends: bool = False
    is_over: bool = False


class Move(Struct, frozen=True, kw_only=True):
    """A change that reserves or skips runs of an entry, refused if its data have changed meanwhile.

    - `of` "plan", the next run of an entry: `seen` is its planned moment, `plan` the plan after it.
    - `of` "request", runs asked for by hand: `seen` is the request's first moment, `first` the next
      one (None: it is done).
    - `of` "claim", a run reserved before and not recorded: `seen` is when, its `claimed_at`.

    The store also reserves `run` (or reserves it anew), records `skips`, adds `backlog` as a
    request, and adds `counts` to the entry's runs. A move of a "claim" without a run ends its
    reservation and records its skip.

    `running` is set for an entry whose `overlap` is not "allow". `revokes` is the task id of the
    running run if the workers must end it after the move, else "".
    """

    of: Literal["plan", "request", "claim"]
    name: str
    revision: int
    seen: Moment
    plan: Plan | None = None
    request: Request | None = None
    first: Moment | None = None
    open_claim: OpenClaim | None = None
    run: Run | None = None
    counts: int = 0
    skips: tuple[Skip, ...] = ()
    backlog: Request | None = None
    running: RunningChange | None = None
    revokes: str = ""


class Result(Struct, frozen=True):
    """Whether the message of a reserved run was sent, as known at the time `at`.

    After "unknown" and "unsent" the run stays reserved; "unsent" also marks it as not sent. If the
    run was reserved again after `claimed_at`, all outcomes but "confirmed" are ignored.
    """

    run: Run
    outcome: Outcome
    at: Moment
    claimed_at: Moment | None = None

    @property
    def late(self) -> float | None:
        """How many seconds late the run was sent, or None if not sent or requested by hand."""
        if self.outcome.sent != "confirmed" or self.run.occurrence.request:
            return None
        return max(0.0, (self.at - self.run.due).total_seconds())


class Ledger(Protocol):
    """The part of a store that reads which runs are next, requested, or not recorded yet."""

    @property
    def namespace(self) -> UUID:
        """The random UUID of the store, from which the task ids of its runs are computed."""

    def version(self) -> str:
        """Return a text that changes whenever an entry is added, edited, paused or removed."""

    def upcoming(self, limit: int) -> Sequence[Stored]:
        """Return up to `limit` entries with their next runs, beginning with the earliest run.

        An index makes this cheap for any number of entries. Entries that this program cannot read
        are left out; `beatd check` reports them.
        """

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        """Return up to `limit` reserved runs whose outcome is not recorded, oldest first.

        Only runs reserved before the moment `before`, or marked as unsent, are returned. Entries
        that this program cannot read are left out.
        """

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return up to `limit` requests for runs that are still to be carried out, oldest first.

        Each comes with its entry, or None if the entry was removed.
        """

    def drop_cached(self, names: Sequence[str]) -> None:
        """Remove these entries, which may be deleted by now, from the caches of this process."""


class Claims(Protocol):
    """The part of a store that reserves runs before they are sent, and records their outcomes."""

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        """Make changes, most of which reserve a run; return for each True if it was made.

        Each is atomic. `at` becomes the `claimed_at` of the reserved runs. A move is refused
        (False) if:

        - `of` "plan": the entry has another planned moment or revision, or is disabled or paused.
        - `of` "request": the request has another first moment.
        - `of` "claim": the reserved run has another `claimed_at`.
        - `of` "request" or "claim", with a run: the entry was edited, so its revision is another.
        - with `running`: the condition of `running` is false.

        Raise Deposed, and change nothing, if `term` is not the newest in the store.
        """

    def record(self, results: Sequence[Result]) -> None:
        """Write the outcomes of reserved runs to the history.

        A final outcome ends the reservation. A second call with the same results does no harm. A
        result of an earlier leader is accepted too, because a confirmed message is a fact. It
        replaces the skip record of a run whose outcome was unknown. A rejected run no longer counts
        as running.
        """

    def atomic(self) -> "AtomicLedger | None":
        """Return an object that reserves and sends runs in one step, or None if impossible."""


class HeldClaim(Protocol):
    """Runs that are prepared to be reserved: locked in the store, but not reserved yet.

    `make` reserves them. `drop`, or the end of the process, undoes the preparation.
    """

    def make(self) -> Sequence[bool]:
        """Reserve the prepared runs, with the results and errors of `Claims.claim`."""

    def drop(self) -> None: ...


@runtime_checkable
class HoldingLedger(Protocol):
    """The optional part of a store that prepares early to reserve runs, to save time."""

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldClaim | None:
        """Prepare to reserve runs at the moment `at`, which is near; reserve nothing yet.

        The runs are locked; the same thread must call `make` or `drop` of the result before it
        writes anything else. Return None if this would save no time or failed; the later `claim`
        then raises the cause.
        """


# Returns one outcome per move: confirmed; rejected (the broker refused the push; it is recorded as
# failed); or None if the row was not as seen. Raises Deposed or StoreError. A second step with the
# same moves does nothing and returns the same outcomes.
StepOutcomes = Callable[[], Sequence[Outcome | None]]


class Step(Protocol):
    """A batch of runs that one Redis script will reserve, publish and record."""

    def send_ahead(self) -> None:
        """Transfer the batch's data to the server a few milliseconds before `begin`, to save time.

        Nothing is reserved yet. The caller must call `begin` or `drop` afterwards.
        """

    def drop(self) -> None:
        """Discard the batch and the data that `send_ahead` transferred, instead of running it."""

    def begin(self, term: Term, at: datetime) -> StepOutcomes:
        """Start the script that reserves, publishes and records the batch; do not wait for it.

        `term` is the leader's number, and `at` the time of the reservation. The caller must call
        the returned function, which waits for the reply and returns the outcomes.
        """


class AtomicLedger(Claims, Protocol):
    """The part of a Redis store that reserves and publishes runs in one script.

    It needs a broker in the same Redis. The outcome of a run is then never unknown.
    """

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> Step:
        """Prepare a batch that will reserve runs and push their messages; nothing is done yet.

        `pushes` contains the messages of each run, in the same order as `moves`.
        """

    def write_up(self, limit: int) -> bool:
        """Write up to `limit` postponed records of history; return True if more are left.

        The methods of `History` already return these records before they are written.
        """

    def server(self) -> tuple[str, int] | None:
        """Return the Redis server as (run_id, db), or None if a queue may be on another server.

        The caller compares it with the server of the broker.
        """


class Terms(SharedClock, Protocol):
    """The part of a store that numbers its leaders, so that only the newest can reserve runs."""

    def begin(self, holder: Holder) -> Term:
        """Make the daemon `holder` the leader, and return its new term: a number and a token.

        From then on the store refuses older numbers. `namespace` is read again from the store.
        """

    def term(self) -> tuple[Term, Holder] | None:
        """Return the number and the description of the newest leader, or None before the first."""


class Requests(EntryFinder, EntryWriter, Protocol):
    """The part of a store that accepts requests to run entries by hand."""

    @property
    def namespace(self) -> UUID:
        """The random UUID of the store, from which the task ids of its runs are computed."""

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        """Return up to `limit` requests for runs that are still to be carried out, oldest first.

        Each comes with its entry, or None if the entry was removed.
        """

    def add_requests(self, requests: Sequence[Request]) -> None:
        """Store requests for runs, which the leader publishes. Ignore those whose id is already
        stored."""
