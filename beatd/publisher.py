"""Send these: a batch in, an outcome for each message out."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from beatd.run import Run

Sent = Literal["confirmed", "rejected", "unsent", "unknown"]


LEAD_LOST = "the lead was lost"  # why a message is unsent that the broker was not asked to take


class Outcome(Struct, frozen=True):
    """How a message ended.

    confirmed: the broker took it. rejected: it never will, the reason is the broker's (or ours,
    when the message cannot be built). unsent: certainly not sent. unknown: it may have been.
    """

    sent: Sent
    reason: str = ""


class Push(Struct, frozen=True):
    """A message ready to be pushed on a Redis list, for the ledger that lives beside it."""

    key: str
    body: bytes


class HeldMessages(Protocol):
    """Dropped, or left by a process that ends, they are as if they had not been."""

    def send(self, may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """As `publish` answers."""

    def drop(self) -> None: ...


class Publisher(Protocol):
    def prepare(self, runs: Sequence[Run]) -> None:
        """Build what can be built before the moment; never raises, never speaks to the broker."""

    def hold(self, runs: Sequence[Run]) -> HeldMessages | None:
        """A few milliseconds before their moment: all is done but what sends them. Each is sent or
        dropped before anything else is published. None where nothing would be gained."""

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """One outcome per run, in order, within the time-out; never raises.

        One bad message does not touch the others. Where messages go one by one, `may_go_on` is
        asked between them, and what is left is unsent once it says no.
        """

    def forget(self, names: Sequence[str]) -> None:
        """Drop what is kept of these entries, which may be gone; it is built anew when needed."""

    def reachable(self) -> bool:
        """Whether the broker answers now, within the time-out; reconnects if need be."""

    def trouble(self) -> str:
        """Why `reachable` last said no: one line that names the broker, and no password."""

    def on_redis(self) -> "RedisPublisher | None":
        """Return this publisher as a RedisPublisher, or None where its broker is no Redis."""

    def close(self) -> None: ...


class RedisPublisher(Publisher, Protocol):
    """A publisher whose messages end as pushes on Redis lists."""

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        """What publishing each run would push, every run's own list; or why it is not told in
        pushes (a fanout, a broker away, a message that cannot be): `publish` then says more."""

    def server(self) -> tuple[str, int] | None:
        """The broker's (run_id, db), to tell whether the ledger lives on the same one; or None."""

    def asked(self) -> bool:
        """Whether the connection in use is the one that `server` was asked on. On another one
        `pushes` answers that nothing can be told in pushes."""
