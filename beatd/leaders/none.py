"""No lock, for a single daemon, which always leads. Two daemons without a lock would end each
other's term in turn."""

from beatd.leader import Holder


class NoLease:
    """A lease that every daemon gets at once, even if another daemon has it."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        return holder

    def release(self, holder: Holder) -> None:
        pass

    def close(self) -> None:
        pass
