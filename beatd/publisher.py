"""A publisher: it sends a batch of runs, and returns an outcome for each message."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from beatd.run import Run

Sent = Literal["confirmed", "rejected", "unsent", "unknown"]


LEAD_LOST = "the lead was lost"  # the reason of a message that was not sent for that


class Outcome(Struct, frozen=True):
    """The outcome of a message.

    confirmed: the broker has it. rejected: the broker never will; the reason is the broker's, or
    ours if the message cannot be built. unsent: it was certainly not sent. unknown: it may have
    been.
    """

    sent: Sent
    reason: str = ""


class Push(Struct, frozen=True):
    """A message to be pushed on a Redis list, by a ledger in the same Redis."""

    key: str
    body: bytes


class Publisher(Protocol):
    """The way of messages to a broker."""

    def prepare(self, runs: Sequence[Run]) -> None:
        """Build what can be built before the moment. Never raise, send nothing to the broker."""

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """Publish the runs; return one outcome per run, in order, within the time-out. Never raise.

        A bad message does not touch the others. If messages go one by one, `may_go_on` is called
        before each; once it returns False, the rest is unsent.
        """

    def forget(self, names: Sequence[str]) -> None:
        """Drop what is kept of these entries, which may be gone; it is built again when needed."""

    def reachable(self) -> bool:
        """Return True if the broker answers within the time-out; reconnect if need be."""

    def trouble(self) -> str:
        """Return why `reachable` last returned False: one line with the broker's name, without
        password."""

    def on_redis(self) -> "RedisPublisher | None":
        """Return this publisher as a RedisPublisher, or None where its broker is no Redis."""

    def close(self) -> None: ...


class RedisPublisher(Publisher, Protocol):
    """A publisher whose messages end as pushes on Redis lists."""

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        """Return for each run the pushes that publish it, or an outcome that says why pushes cannot
        (a fanout, a broker that is away, a message that cannot be built). `publish` may be able to
        send such a run."""

    def server(self) -> tuple[str, int] | None:
        """Return the broker's (run_id, db), to be compared with the ledger's; None if it is not
        known."""

    def asked(self) -> bool:
        """Return True if `server` was read on the connection in use. On a newer one, `pushes`
        returns outcomes only."""
