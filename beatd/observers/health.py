"""The health of a daemon, as probes and gauges show it."""

from msgspec import Struct


class Health(Struct, frozen=True):
    """How a daemon is: `trouble` is why it does not work, `waits_for` why it is not ready."""

    trouble: str
    waits_for: str
    leading: bool
    tick_age: float  # seconds
    store_ok: bool
    broker_ok: bool
    lock_ok: bool
    clock_offset: float  # seconds
    lease_margin: float  # seconds
    entries: int
