"""The lock and the number by which one of several daemons becomes the leader.

The holder of the lock (the lease) may begin a term in the ledger; each term has a higher number.
Only the term prevents that a run is published twice: the ledger refuses every claim that does not
carry its newest term.
"""

from typing import Protocol

from msgspec import Struct

from beatd.entry import Moment


class Holder(Struct, frozen=True):
    """A daemon that holds the leader's lock, or that held it when a term began.

    `since` is the time when its process started or, for a term, when the term began. `token` is
    random, so that two starts of one daemon differ.
    """

    name: str
    host: str
    pid: int
    since: Moment
    token: str


class Term(Struct, frozen=True):
    """The number under which a daemon leads; each new leader gets a higher one.

    The store refuses to reserve a run for a leader whose number and random `token` are not the
    newest ones. So an old leader cannot send a run again.
    """

    number: int
    token: str


class Lead(Struct, frozen=True):
    """This daemon's right to lead, which ends when the clock `Clock.elapsed` shows `until`.

    `nth` counts the leads of this process, from 1. Use it to notice another lead: a store that lost
    data may give this daemon a term with the same number as an earlier one.
    """

    term: Term
    until: float
    nth: int = 1


class Lease(Protocol):
    """The lock that lets one daemon at a time lead.

    A method raises an error whenever its result is in doubt; the caller must then stop leading.
    """

    def take(self, holder: Holder, ttl: float) -> Holder:
        """Get or renew the lock for `holder`, and return the daemon that holds the lock afterwards.

        If another daemon already holds the lock, return that daemon. The call is atomic. The lock
        lasts `ttl` seconds by its own clock; it is free earlier if its holder is proven dead.
        """

    def release(self, holder: Holder) -> None:
        """Free the lock at once if `holder` has it; otherwise do nothing."""

    def close(self) -> None: ...
