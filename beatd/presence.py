"""The records in which running daemons describe themselves to each other and to `beatd status`."""

from collections.abc import Sequence
from secrets import token_hex
from typing import Literal, Protocol

from msgspec import Struct

from beatd.entry import Moment
from beatd.errors import StoreError
from beatd.leader import Holder
from beatd.run import EPOCH

#: How a problem of a daemon begins if a file or an app declares entries that are not valid.
INVALID_SOURCE = "invalid source: "


class Presence(Struct, frozen=True):
    """The description of itself that a daemon writes to the store once a second.

    Other daemons and `beatd status` read it. It never contains a password.
    """

    holder: Holder
    role: Literal["leader", "standby"]
    broker_ok: bool
    seen_at: Moment
    clock_offset: float = 0.0  # seconds that its host's clock is ahead of the store's
    declares: str = ""  # the digest of the entries that its sources declare
    stats: dict[str, float] = {}  # its figures, see DaemonState.stats
    broker: str = ""  # why the broker cannot be used
    problems: tuple[str, ...] = ()  # the first declarations that failed
    lock: str = ""  # why the lock cannot be used
    went_back: str = ""  # the newest loss of data in the store that it noticed
    version: str = ""  # of beatd; "" from a daemon of an older one
    lock_holder: str = ""  # the other daemon that had the leader's lock at the last try to get it
    needs_reload: tuple[str, ...] = ()  # changed settings that it uses only after a reload


class Presences(Protocol):
    """The part of a store's interface in which running daemons describe themselves."""

    def announce(self, presence: Presence, ttl: float) -> None:
        """Write a daemon's description of itself, which replaces the older one and expires in `ttl`
        seconds."""

    def leave(self, holder: Holder) -> None:
        """Remove the description of a daemon that ends. Do nothing if the store does not have
        it."""

    def daemons(self) -> Sequence[Presence]:
        """Return the descriptions of all daemons that run, which are those that have not
        expired."""


def is_same_mistake(one: str, other: str) -> bool:
    """Return True if two lines name the same mistake in a file, one with a longer path of it.

    A process names files below the folder in which it was started.
    """
    one, other = one.removeprefix(INVALID_SOURCE), other.removeprefix(INVALID_SOURCE)
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def leading(daemons: Sequence[Presence], newest: Holder | None) -> Presence | None:
    """Return the description of the daemon that leads, or None if no daemon leads.

    `newest` is the daemon that became the leader last. Any other daemon that claims to lead is
    ignored, because it may be frozen and its description old.
    """
    if newest is None:
        return None
    return next(
        (one for one in daemons if one.role == "leader" and one.holder.token == newest.token), None
    )


def standing_by(daemons: Sequence[Presence]) -> list[Presence]:
    """Return the descriptions of the daemons that stand by, in the order of `daemons`."""
    return [one for one in daemons if one.role == "standby"]


def led_before(daemons: Sequence[Presence], leader: Presence | None) -> list[Presence]:
    """Return the descriptions of the daemons other than `leader` that describe themselves as
    leading.

    Such a daemon was killed or is frozen, or has not yet announced that it no longer leads.
    """
    return [one for one in daemons if one.role == "leader" and one is not leader]


def refusal_of(presences: Presences) -> str:
    """Return the reason why the store refuses writes, or "" if it accepts them.

    It tries a write that changes nothing.
    """
    nobody = Holder("", "", 0, EPOCH, token_hex(8))
    try:
        presences.leave(nobody)
    except StoreError as refusal:
        return str(refusal)
    return ""
