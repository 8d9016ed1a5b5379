"""Let a single daemon lead without a lock.

Two daemons would both lead, and each would end the lead of the other again and again.
"""

from beatd.leader import Holder


class NoLease:
    """A lock that every daemon gets at once, for a single daemon that always leads."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        return holder

    def release(self, holder: Holder) -> None:
        pass

    def close(self) -> None:
        pass
