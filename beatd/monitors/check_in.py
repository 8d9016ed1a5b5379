"""Check-ins: messages to an external monitor, each about the state of one run."""

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
    """One message to an external monitor about a run of `entry`.

    `runtime` is in seconds, or None if unknown. `text` is for people.
    """

    entry: Entry
    task_id: str
    state: CheckInState
    text: str = ""
    runtime: float | None = None


class MonitorTarget(Protocol):
    """Sends check-ins to one kind of external monitor, such as Sentry."""

    def wants(self, check_in: CheckIn) -> bool:
        """Return True if the entry uses this monitor, and the check-in's state fits it."""

    def send(self, check_in: CheckIn) -> None:
        """Send the check-in. Raise NotDelivered if that fails."""

    def close(self) -> None: ...


def check_in_of(entry: Entry, delivery: Delivery) -> CheckIn | None:
    """Return the message to monitors about this state of a run, or None if they need none."""
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
