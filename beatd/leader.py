"""May I: the lease that makes one leader cheap, and the term that makes two of them harmless.

A lease (a row, a key, a lock on a file) says who may lead. It is never what keeps a run from being
doubled: winning it only gives the right to ask the ledger for a term, and the ledger refuses every
claim that does not carry its newest one.
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Holder(Struct, frozen=True):
    """Who leads, for people to read; `token` sets two starts of one daemon apart."""

    name: str
    host: str
    pid: int
    since: datetime
    token: str


class Term(Struct, frozen=True):
    """Issued by the ledger; a claim must carry both, equal to the ledger's own."""

    number: int
    token: str


class Lead(Struct, frozen=True):
    """A term, and how long its holder may trust in it (on `Clock.elapsed`)."""

    term: Term
    until: float


class Lease(Protocol):
    """Where the lock lives. Any doubt raises: the caller then stops leading."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        """Win, renew or fail, atomically, by the lock's own clock; whoever holds it afterwards.

        Taken over before the ttl only where the system proves that the old holder is dead.
        """

    def release(self, holder: Holder) -> None:
        """Free at once if still this holder's; nothing otherwise."""

    def close(self) -> None: ...
