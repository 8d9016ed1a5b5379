"""The types of workers' reports about runs, and the part of a store's interface that keeps them.

A broker may deliver a message twice, so a run may have several deliveries, each with an outcome of
its own. The outcome of the run is that of its newest delivery.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.entry import Moment
from beatd.run import Running

OutcomeState = Literal[
    "received", "started", "succeeded", "failed", "retried", "revoked", "expired", "lost"
]
#: The states after which nothing more is expected of a delivery. A retried run goes on, but with
#: another delivery.
DELIVERY_ENDS = frozenset({"succeeded", "failed", "retried", "revoked", "expired", "lost"})
#: The states after which a run no longer counts as running.
RUN_ENDS = DELIVERY_ENDS - {"retried"}


class Delivery(Struct, frozen=True, kw_only=True):
    """What workers reported about one delivery of a run's message: its state, times and error.

    `delivery` is a random id from the worker; a message that is delivered twice has two. `name` and
    `planned` identify the entry and its run. `at` is the time of the newest report, by the worker's
    clock. `error` is one line. `runtime` is in seconds; None if the start or the end is unknown.
    """

    task_id: str
    delivery: str
    name: str
    planned: Moment
    state: OutcomeState
    at: Moment
    worker: str = ""
    received: Moment | None = None
    started: Moment | None = None
    finished: Moment | None = None
    error: str = ""

    @property
    def runtime(self) -> float | None:
        if self.started is None or self.finished is None:
            return None
        return max(0.0, (self.finished - self.started).total_seconds())


class SentRun(Struct, frozen=True):
    """A run that was sent at `published`, and that no worker has reported yet."""

    task_id: str
    planned: datetime
    published: datetime


class EntryOutcome(Struct, frozen=True, kw_only=True):
    """How the newest run of an entry ended, and how many runs in a row failed or succeeded before.

    A revoked run changes neither count. `first` is when the first outcome of the entry was written.
    `sent` is a newer run that no worker has reported. `unread` is True if the newest run has no
    known end and no daemon leads, so that nobody reads the reports of workers. Only lists and pages
    set these two, no store.
    """

    name: str
    newest: Delivery
    failures: int = 0
    successes: int = 0
    last_success: Moment | None = None
    first: Moment | None = None
    sent: SentRun | None = None
    unread: bool = False


Written = Literal["written", "late"]


class RunStates(Protocol):
    """The part of a store's interface that reads running runs and workers' reports about runs."""

    def outcomes(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[Delivery]]:
        """Return what workers reported about the runs with these task ids, oldest delivery first.

        Runs without a report are left out.
        """

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        """Return the running run of each of these entries, by name, or of all entries if `names` is
        None.

        Entries without a running run, or with `overlap: allow`, are left out.
        """


class EntryOutcomes(Protocol):
    """The part of a store's interface that finds entries by how their newest run ended."""

    def entry_outcomes(self, names: Sequence[str] | None) -> Mapping[str, EntryOutcome]:
        """Return how the newest run of each entry ended, by name; `names` None means all entries.

        An entry without an outcome is left out.
        """

    def entry_outcomes_in(self, states: Collection[OutcomeState]) -> Mapping[str, EntryOutcome]:
        """Return the newest outcomes of the entries whose newest run is in one of these states, by
        name.

        This costs less than `entry_outcomes(None)` if they are few.
        """


class Outcomes(RunStates, Protocol):
    """The part of a store's interface that keeps workers' reports about runs, and the running
    runs."""

    def write_outcomes(self, deliveries: Sequence[Delivery], at: datetime) -> Sequence[Written]:
        """Write what workers reported about runs; return "written" or "late" for each report.

        "late" means that the delivery had ended before, so that nothing was changed; a delivery
        written as lost may still get another end. An empty field (None, "") does not replace an
        earlier value. A run has ended if, after all of these reports, all its deliveries have and
        one is in a state of `RUN_ENDS`. Then it no longer counts as running, and a next run that
        waits for it is due at `at`, unless that was changed since. The entry's outcome is updated
        in the same transaction. A second call does no harm.
        """

    def entry_outcomes(self, names: Sequence[str] | None) -> Mapping[str, EntryOutcome]:
        """Return how the newest run of each entry ended, by name; `names` None means all
        entries."""

    def live_deliveries(self, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` runs that workers have received and not ended, oldest first."""

    def prolong(self, task_ids: Sequence[str], until: datetime) -> None:
        """Let the runs with these task ids count as running until `until` or later.

        A next run that waits for one of them stays due as before; the leader then checks again.
        """
