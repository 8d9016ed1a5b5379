"""The lead: a lease, which lets one daemon lead, and a term, which makes a second leader harmless.

The holder of the lease (a row, a key or a lock on a file) may begin a term (a fencing number) in
the ledger. Only the term prevents that a run is published twice: the ledger refuses every claim
that does not carry its newest term.
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Holder(Struct, frozen=True):
    """A daemon, as the holder of a lease (the lock of the leader) or of a term (its fencing
    number).

    `since` is the time when its process started or, for the holder of a term, when the term began.
    `token` is random, so that two starts of one daemon differ.
    """

    name: str
    host: str
    pid: int
    since: datetime
    token: str


class Term(Struct, frozen=True):
    """The fencing number of a leader, which the ledger issued.

    The ledger refuses a claim unless both fields equal those of its newest term.
    """

    number: int
    token: str


class Lead(Struct, frozen=True):
    """The right to lead under a term (the fencing number of a leader).

    Its holder may rely on it while `Clock.elapsed` is less than `until` (seconds).
    """

    term: Term
    until: float


class Lease(Protocol):
    """The lock that lets one daemon at a time lead.

    A method raises an error whenever the result is in doubt; the caller must then stop leading.
    """

    def take(self, holder: Holder, ttl: float) -> Holder:
        """Get or renew the lease for `holder`, and return the daemon that holds the lease
        afterwards.

        If another daemon already holds the lease, return that daemon. The call is atomic. The lease
        lasts `ttl` seconds by the lock's own clock. It is free after that, or earlier when the
        system proves that its holder is dead.
        """

    def release(self, holder: Holder) -> None:
        """Free the lease at once if `holder` has it; otherwise do nothing."""

    def close(self) -> None: ...
