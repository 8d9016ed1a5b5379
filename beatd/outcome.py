"""The outcomes of published runs, as workers report them, and the part of a store that keeps them.

A broker may deliver a message twice, so a run may have several deliveries, each with an outcome of
its own. The outcome of the run is that of its newest delivery.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

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
    """What is known of one delivery of a run's message to a worker.

    `delivery` is a random id that the worker gave it. `name` and `planned` are those of the
    occurrence. `at` is the time of the newest report, by the worker's clock. `error` is one line.
    `runtime` is in seconds.
    """

    task_id: str
    delivery: str
    name: str
    planned: datetime
    state: OutcomeState
    at: datetime
    worker: str = ""
    received: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    error: str = ""

    @property
    def runtime(self) -> float | None:
        if self.started is None or self.finished is None:
            return None
        return max(0.0, (self.finished - self.started).total_seconds())


class EntryOutcome(Struct, frozen=True, kw_only=True):
    """The newest outcome of an entry's runs, and what led to it.

    `failures` counts the ends in a row that were no success, `successes` the successes in a row; a
    revoked run changes neither.
    `first` is the time of the first outcome that was ever written for the entry.
    """

    name: str
    newest: Delivery
    failures: int = 0
    successes: int = 0
    last_success: datetime | None = None
    first: datetime | None = None


Written = Literal["written", "late"]


class RunStates(Protocol):
    """The part of a store that reads which runs are running, and what workers reported of runs."""

    def outcomes(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[Delivery]]:
        """Return the deliveries of these runs, oldest first; a run without one is left out."""

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        """Return the running runs of these entries, or of all (None), by name. Only entries whose
        `overlap` is not "allow" have one."""


class Outcomes(RunStates, Protocol):
    """The part of a store that keeps the outcomes of published runs and the running runs."""

    def write_outcomes(self, deliveries: Sequence[Delivery], at: datetime) -> Sequence[Written]:
        """Write what is newly known of these deliveries, at the time `at`; return for each "late"
        if the delivery had ended before, so that nothing was changed.

        Fields that a report does not know (None, "") keep what an earlier one wrote. A delivery
        that was written as lost may still end otherwise. Where a run ended (all its deliveries
        ended, the newest with a state of `RUN_ENDS`), it no longer counts as running, and an entry
        whose plan waits for it is due at `at`, unless the plan was changed since. The outcome of
        the entry, if there is such an entry, is updated in the same transaction. It may be called
        twice.
        """

    def entry_outcomes(self, names: Sequence[str] | None) -> Mapping[str, EntryOutcome]:
        """Return the newest outcome of these entries, or of all (None), by name; an entry without
        one is left out."""

    def live_deliveries(self, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` deliveries that have not ended, oldest first."""

    def prolong(self, task_ids: Sequence[str], until: datetime) -> None:
        """Let these runs count as running until `until` at least. A plan that waits for one of them
        stays due when it was: it then looks at the run again."""
