"""The protocol of a publisher, which sends runs to a broker, and the outcomes it returns."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from beatd.run import Run

Sent = Literal["confirmed", "rejected", "unsent", "unknown"]


LEAD_LOST = "the lead was lost"  # the reason of a message that was not sent because of it
#: The reason of a message that the broker refused for now, such as for a full queue.
MESSAGE_REFUSED = "the broker refused it (basic.nack)"


class Outcome(Struct, frozen=True):
    """The outcome of sending one message to the broker.

    `reason` is a text for people, empty for a confirmed message.

    - confirmed: the broker has the message.
    - rejected: the broker will never accept the message, or the message cannot be built.
    - unsent: the message was certainly not sent.
    - unknown: the message may have been sent.
    """

    sent: Sent
    reason: str = ""


class Push(Struct, frozen=True):
    """The message `body`, to be pushed to the Redis list `key`.

    If ledger and broker are the same Redis, one script claims the run and pushes the message.
    """

    key: str
    body: bytes


class Publisher(Protocol):
    """Sends the messages of runs to a broker."""

    def prepare(self, runs: Sequence[Run], *, soon: bool = False) -> None:
        """Build parts of the messages before the runs are due; send nothing, and never raise.

        `soon` is True if exactly these runs will most likely be published within milliseconds.
        """

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """Publish the runs, and return one outcome for each, in the same order; never raise.

        A message that fails does not affect the others. `may_go_on` is called before each group of
        messages; once it returns False, the rest is "unsent".
        """

    def revoke(self, task_ids: Sequence[str]) -> None:
        """Tell all workers to end these tasks, and to refuse those that arrive later; never raise.

        Workers do not confirm it. If the broker cannot reach all workers at once, nothing is sent.
        """

    def forget(self, names: Sequence[str]) -> None:
        """Delete the cached messages of the entries with these names."""

    def reachable(self) -> bool:
        """Return True if the broker answers within the time-out; connect again if necessary."""

    def trouble(self) -> str:
        """Return why `reachable` was last False, as one line for people.

        It has the broker's name and no password.
        """

    def on_redis(self) -> "RedisPublisher | None":
        """Return this publisher as a RedisPublisher, or None if its broker is not Redis."""

    def close(self) -> None: ...


class RedisPublisher(Publisher, Protocol):
    """A publisher to Redis, whose messages can be sent as pushes to lists."""

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        """Return for each run the pushes to Redis lists that send its message.

        If that is impossible, an outcome says why: a fanout exchange, a broker that is away, or a
        message that cannot be built. `publish` may still be able to send such a run.
        """

    def server(self) -> tuple[str, int] | None:
        """Return the identity of the broker's Redis server, or None if it is unknown.

        The identity is the server's run_id and the number of the database.
        """

    def asked(self) -> bool:
        """Return True if `server` has read which Redis this is over the current connection.

        Otherwise the last result of `server` may be outdated, and `pushes` returns outcomes only.
        """
