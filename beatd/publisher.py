"""Define the publisher, which sends a batch of runs to a broker and returns an outcome for each."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from beatd.run import Run

Sent = Literal["confirmed", "rejected", "unsent", "unknown"]


LEAD_LOST = "the lead was lost"  # the reason of a message that was not sent because of it
#: The reason of a message that the broker refused for now, such as for a full queue.
MESSAGE_REFUSED = "the broker refused it (basic.nack)"


class Outcome(Struct, frozen=True):
    """The outcome of sending one message.

    `reason` is a text for people, empty for a confirmed message.

    - confirmed: the broker has the message.
    - rejected: the broker will never accept it, and gave the reason; or the message cannot be
      built.
    - unsent: the message was certainly not sent.
    - unknown: the message may have been sent.
    """

    sent: Sent
    reason: str = ""


class Push(Struct, frozen=True):
    """One push of the message `body` to the Redis list `key`.

    A ledger in the same Redis can do it inside its claim.
    """

    key: str
    body: bytes


class Publisher(Protocol):
    """Sends messages to a broker."""

    def prepare(self, runs: Sequence[Run], *, soon: bool = False) -> None:
        """Build the parts of the messages that can be built before the runs are due, and send
        nothing.

        It never raises. `soon` is True if exactly these runs are most likely published within some
        milliseconds.
        """

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """Publish the runs within the time-out, and return one outcome per run, in the same order.

        It never raises. A message that fails does not affect the others. If messages go one by one,
        `may_go_on` is called before each; once it returns False, the rest is "unsent".
        """

    def revoke(self, task_ids: Sequence[str]) -> None:
        """Tell all workers to end these runs, and to refuse those that arrive later.

        It never raises, and no reply confirms it. It does nothing if the broker cannot reach all
        workers at once.
        """

    def forget(self, names: Sequence[str]) -> None:
        """Delete the cached messages of the entries `names`, which may have been removed.

        A message that is needed again is built again.
        """

    def reachable(self) -> bool:
        """Return True if the broker answers within the time-out; connect again if necessary."""

    def trouble(self) -> str:
        """Return the reason for the last False of `reachable`, as one line with the broker's name.

        The text contains no password.
        """

    def on_redis(self) -> "RedisPublisher | None":
        """Return this publisher as a RedisPublisher, or None if its broker is not Redis."""

    def close(self) -> None: ...


class RedisPublisher(Publisher, Protocol):
    """A publisher whose messages are pushes to Redis lists."""

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        """Return for each run the pushes that publish it, or an outcome if pushes cannot publish
        it.

        The outcome has the reason: a fanout exchange, a broker that is away, a message that cannot
        be built. `publish` may be able to send such a run.
        """

    def server(self) -> tuple[str, int] | None:
        """Return the (run_id, db) of the broker's Redis, or None if it is unknown.

        The caller compares the result with that of the ledger.
        """

    def asked(self) -> bool:
        """Return True if `server` has read the identity of Redis over the current connection to the
        broker.

        Otherwise the last result of `server` may be out of date, and `pushes` returns outcomes
        only.
        """
