"""A lease, and the terms of a ledger, in memory and on the fake clock."""

from datetime import UTC, datetime

from beatd.errors import StoreError
from beatd.leader import Holder, Term
from tests.fake_clock import FakeClock


def holder(name: str) -> Holder:
    return Holder(name, "host", 1, datetime(2026, 1, 1, tzinfo=UTC), f"token of {name}")


class FakeLease:
    """A lease, and the terms of a ledger, in memory and on the fake clock."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.held: tuple[Holder, float] | None = None
        self.number = 0
        self.trouble: StoreError | None = None
        self.slow = 0.0

    def take(self, holder: Holder, ttl: float) -> Holder:
        if self.trouble:
            raise self.trouble
        if self.held and self.held[0].token != holder.token and self.clock.elapsed() < self.held[1]:
            return self.held[0]
        self.held = (holder, self.clock.elapsed() + ttl)
        self.clock.advance(seconds=self.slow)
        return holder

    def release(self, holder: Holder) -> None:
        if self.trouble:
            raise self.trouble
        if self.held and self.held[0].token == holder.token:
            self.held = None

    def close(self) -> None: ...

    def begin(self, holder: Holder) -> Term:
        self.number += 1
        return Term(self.number, f"{holder.name}/{self.number}")

    def term(self) -> None: ...

    def now(self) -> None: ...
