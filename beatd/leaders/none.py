"""No lock: this daemon always leads. For one daemon; two would fence each other out in turn."""

from beatd.leader import Holder


class NoLease:
    def take(self, holder: Holder, ttl: float) -> Holder:
        return holder

    def release(self, holder: Holder) -> None:
        pass

    def close(self) -> None:
        pass
