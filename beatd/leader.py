"""The lead: a lease, which lets one daemon lead, and a term, which makes a second leader harmless.

A lease (a row, a key, a lock on a file) says who may lead. The lease does not keep a run from being
published twice: its holder only gets the right to begin a term in the ledger, and the ledger
refuses every claim that does not carry its newest term.
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Holder(Struct, frozen=True):
    """A daemon that holds a lease or a term; `token` tells two starts of one daemon apart."""

    name: str
    host: str
    pid: int
    since: datetime
    token: str


class Term(Struct, frozen=True):
    """A term that the ledger issued. A claim carries both fields, equal to the ledger's own."""

    number: int
    token: str


class Lead(Struct, frozen=True):
    """A term, and the time of `Clock.elapsed` until which its holder may trust it."""

    term: Term
    until: float


class Lease(Protocol):
    """A lock that one daemon holds. A method raises whenever it is in doubt; the caller then stops
    leading."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        """Win or renew the lease if it is free, atomically, by the lock's own clock; return its
        holder afterwards.

        Another daemon's lease is free after its ttl, or earlier when the system proves that its
        holder is dead.
        """

    def release(self, holder: Holder) -> None:
        """Free the lease at once if this holder has it; do nothing otherwise."""

    def close(self) -> None: ...
