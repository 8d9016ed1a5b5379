"""Holders of a lease, and times to live."""

from datetime import UTC, datetime
from uuid import uuid4

from beatd.leader import Holder

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 60.0  # seconds; this ttl does not run out within a test
SHORT = 1.0  # seconds; this one does, and a busy server answers in it
PATIENCE_S = 10.0  # long before a ttl of LONG is over


def holder(name: str) -> Holder:
    """Return a holder whose token no other has."""
    return Holder(name, f"host-of-{name}", 7, NOON, uuid4().hex)
