"""A real lock answers as the one of the simulator does (tests/fake_lease.py), in any history."""

import random
from collections.abc import Callable

import pytest

from beatd.leader import Holder, Lease
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease
from tests.leaders.holders import LONG, NOON, PATIENCE_S
from tests.leaders.places import Place
from tests.waiting import until

Another = Callable[[], Lease]
CALLS = 40
SHORT_S = 0.05
KINDS = ("file", "sqlite", "postgresql", "mariadb", "redis")
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 40))]


class Daemons:
    """Three daemons, each with a lock of its own kind and with the simulator's lock."""

    def __init__(self, place: Place, leases: Another) -> None:
        self._place, self._leases, self._clock = place, leases, FakeClock()
        self._model = FakeLease(self._clock)
        self._real = [leases() for _ in range(3)]
        self._starts = [0, 0, 0]
        self.calls: list[str] = []

    def _me(self, number: int) -> Holder:
        token = f"token of {number}, start {self._starts[number]}"
        return Holder(f"daemon-{number}", "host", number, NOON, token)

    def take(self, number: int, ttl: float = LONG) -> Holder:
        me = self._me(number)
        expected, found = self._model.take(me, ttl), self._real[number].take(me, ttl)
        self.calls.append(f"{me.token} takes it for {ttl} s: {found.token}")
        assert found == expected, [*self.calls, f"the simulator's: {expected.token}"]
        return found

    def release(self, number: int) -> None:
        me = self._me(number)
        self.calls.append(f"{me.token} releases it")
        self._model.release(me)
        self._real[number].release(me)

    def run_out(self, number: int) -> None:
        """If the lock is free or its own, a daemon takes it for a moment, and the moment ends."""
        began = self._place.clock()
        if self.take(number, SHORT_S) != self._me(number):
            return
        self._clock.advance(seconds=2 * SHORT_S)
        until(lambda: self._place.clock() > began + 3 * SHORT_S, PATIENCE_S, "its ttl is over")
        self.calls.append(f"{2 * SHORT_S} s pass")

    def restart(self, number: int) -> None:
        """A daemon dies without a release, and starts again under another token.

        Its lock is free when its ttl is over, as in the simulator, or soon, where it ends with its
        process; there the next start takes it.
        """
        before = self._me(number)
        self.calls.append(f"{before.token} dies")
        self._real[number].close()
        self._real[number] = real = self._leases()
        self._starts[number] += 1
        me, held = self._me(number), self._model.held
        if self._place.ends_with_its_process and held is not None and held[0] == before:
            until(lambda: real.take(me, LONG) == me, PATIENCE_S, "the lock of a dead one is free")
            self._model.release(before)
            self.take(number)


@pytest.mark.parametrize("place", KINDS, indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_lock_does_what_the_simulated_one_does(
    place: Place, leases: Another, seed: int
) -> None:
    dice, daemons = random.Random(seed), Daemons(place, leases)
    for _ in range(CALLS):
        number, how = dice.randrange(3), dice.random()
        if how < 0.5:
            daemons.take(number)
        elif how < 0.8:
            daemons.release(number)
        elif how < 0.9:
            daemons.restart(number)
        elif place.has_ttl:
            daemons.run_out(number)
