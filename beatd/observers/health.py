"""The health of a daemon, for its probes and metrics."""

from msgspec import Struct


class Health(Struct, frozen=True):
    """The health of a daemon at one moment, as the daemon itself knows it."""

    trouble: str  # why it does not work, or an empty text
    waits_for: str  # why it is not ready, or an empty text
    leading: bool
    tick_age: float  # seconds
    store_ok: bool
    broker_ok: bool
    lock_ok: bool
    clock_offset: float  # seconds that the host's clock is ahead of the store's
    lease_margin: float  # seconds of trust left in the lease
    entries: int
