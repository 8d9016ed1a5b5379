"""No lock, for a single daemon, which always leads. Two daemons without a lock would depose each
other in turn."""

from beatd.leader import Holder


class NoLease:
    """A lease that each daemon wins at once, whoever else has it."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        return holder

    def release(self, holder: Holder) -> None:
        pass

    def close(self) -> None:
        pass
