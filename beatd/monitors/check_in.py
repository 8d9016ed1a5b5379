"""One message to a monitor about one run, and how outcomes become such messages."""

from typing import Literal, Protocol

from msgspec import Struct

from beatd.entry import Entry
from beatd.outcome import Delivery, OutcomeState

CheckInState = Literal["published", "start", "success", "fail", "log"]

#: The check-in for each state that a worker reports; the other states have none.
OF_OUTCOME: dict[OutcomeState, CheckInState] = {
    "started": "start",
    "succeeded": "success",
    "failed": "fail",
    "lost": "fail",
    "revoked": "fail",
    "expired": "fail",
    "retried": "log",
}


class CheckIn(Struct, frozen=True, kw_only=True):
    """A message to a monitor about a run of `entry`. `runtime` is in seconds, `text` for people."""

    entry: Entry
    task_id: str
    state: CheckInState
    text: str = ""
    runtime: float | None = None


class MonitorTarget(Protocol):
    """One kind of monitor elsewhere."""

    def wants(self, check_in: CheckIn) -> bool:
        """Return True if the entry has such a monitor, and the monitor gets this state."""

    def send(self, check_in: CheckIn) -> None:
        """Send the check-in. Raise NotDelivered if that fails."""

    def close(self) -> None: ...


def check_in_of(entry: Entry, delivery: Delivery) -> CheckIn | None:
    """Return the check-in for this outcome, or None if its state has none."""
    state = OF_OUTCOME.get(delivery.state)
    if state is None:
        return None
    text = ""
    if state in ("fail", "log"):
        text = f"{delivery.state}: {delivery.error}" if delivery.error else delivery.state
    return CheckIn(
        entry=entry,
        task_id=delivery.task_id,
        state=state,
        text=text,
        runtime=delivery.runtime,
    )
