"""No lock, for a single daemon that always leads. Without a lock, two daemons would both lead, and
each would end the other's term (fencing number) again and again."""

from beatd.leader import Holder


class NoLease:
    """A lease (the lock of the leader) that every daemon gets at once, even if another daemon has
    it."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        return holder

    def release(self, holder: Holder) -> None:
        pass

    def close(self) -> None:
        pass
