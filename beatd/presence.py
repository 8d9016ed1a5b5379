"""Presences: what each running daemon writes about itself for the others and for `status`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.leader import Holder


class Presence(Struct, frozen=True):
    """What a daemon writes about itself, once per renewal."""

    holder: Holder
    role: Literal["leader", "standby"]
    broker_ok: bool
    seen_at: datetime
    clock_offset: float = 0.0
    declares: str = ""  # the digest of what it would apply
    stats: dict[str, float] = {}
    broker: str = ""  # why it is away; no password
    problems: tuple[str, ...] = ()  # the first few of what it could not read or apply
    lock: str = ""  # why it cannot be used; no password
    went_back: str = ""  # what it saw the store lose last


class Presences(Protocol):
    """The daemons of a store."""

    def announce(self, presence: Presence, ttl: float) -> None:
        """Write the presence of a daemon over its older one; it lasts for `ttl` seconds."""

    def leave(self, holder: Holder) -> None:
        """Remove the presence of a daemon that ends."""

    def daemons(self) -> Sequence[Presence]:
        """Return the presences that last."""
