"""Check-ins: a check-in is one message to an external monitor about one run. `check_in_of` makes it
from an outcome."""

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
    """One message to a monitor about a run of `entry`. `runtime` is in seconds, or None if it is
    unknown. `text` is for people."""

    entry: Entry
    task_id: str
    state: CheckInState
    text: str = ""
    runtime: float | None = None


class MonitorTarget(Protocol):
    """Sends check-ins to one kind of external monitor."""

    def wants(self, check_in: CheckIn) -> bool:
        """Return True if the entry uses this kind of monitor, and the monitor accepts the state of
        this check-in."""

    def send(self, check_in: CheckIn) -> None:
        """Send the check-in. Raise NotDelivered if that fails."""

    def close(self) -> None: ...


def check_in_of(entry: Entry, delivery: Delivery) -> CheckIn | None:
    """Return the check-in for this outcome of a run, or None if monitors get no message about its
    state."""
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
