"""No lock, for a single daemon: it always leads. Two would fence each other out in turn."""

from beatd.leader import Holder


class NoLease:
    """A lease that every daemon holds."""

    def take(self, holder: Holder, ttl: float) -> Holder:
        return holder

    def release(self, holder: Holder) -> None:
        pass

    def close(self) -> None:
        pass
