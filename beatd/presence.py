"""The records that running daemons write about themselves, for each other and for `status`."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Literal, Protocol

from msgspec import Struct

from beatd.errors import StoreError
from beatd.leader import Holder
from beatd.run import EPOCH

#: How a problem of a daemon begins if a file or an app declares entries that are not valid.
INVALID_SOURCE = "invalid source: "


class Presence(Struct, frozen=True):
    """The record that a daemon writes about itself, once a second, for `status` and other daemons.

    It never contains a password.
    """

    holder: Holder
    role: Literal["leader", "standby"]
    broker_ok: bool
    seen_at: datetime
    clock_offset: float = 0.0  # seconds that its host's clock is ahead of the store's
    declares: str = ""  # the digest of the entries that its sources declare
    stats: dict[str, float] = {}  # its figures, see DaemonState.stats
    broker: str = ""  # why the broker cannot be used
    problems: tuple[str, ...] = ()  # the first declarations that failed
    lock: str = ""  # why the lock cannot be used
    went_back: str = ""  # the newest loss of data in the store that it noticed


class Presences(Protocol):
    """The part of a store in which running daemons announce themselves."""

    def announce(self, presence: Presence, ttl: float) -> None:
        """Write a daemon's record about itself over its older one, for `ttl` seconds."""

    def leave(self, holder: Holder) -> None:
        """Remove the record of a daemon that ends, if there is one."""

    def daemons(self) -> Sequence[Presence]:
        """Return the records of the daemons that have not expired."""


def leading(daemons: Sequence[Presence], newest: Holder | None) -> Presence | None:
    """Return the record of the daemon that leads, or None if no daemon leads.

    `newest` is the daemon that became the leader last. Any other daemon that claims to lead is
    ignored, because it may be frozen and its record old.
    """
    if newest is None:
        return None
    return next(
        (one for one in daemons if one.role == "leader" and one.holder.token == newest.token), None
    )


def refusal_of(presences: Presences) -> str:
    """Return why the store refuses writes, or "" if it accepts them.

    The test is a write that changes nothing.
    """
    nobody = Holder("", "", 0, EPOCH, token_hex(8))
    try:
        presences.leave(nobody)
    except StoreError as refusal:
        return str(refusal)
    return ""
