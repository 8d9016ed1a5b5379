"""The dice of one actor: thrown, thrown and written down, or shown again as they fell."""

import random
from collections import deque
from collections.abc import Iterable
from typing import Any

from tests.simulation.decisions import ACTS, BEGINS, ENDS, MICROS, Decision, Draw
from tests.simulation.world import World

NEVER_S = 1e6


class Dice(random.Random):
    """Throws `base`, which several actors may share; `log` receives what each action drew.

    An actor calls `wait` before each action. So one action can be left out when the others are
    played again: they still fall as they fell, and at the same moments.
    """

    def __init__(self, base: random.Random, actor: str, log: list[Decision]) -> None:
        super().__init__(0)
        self._base, self._actor, self._log = base, actor, log
        self._draws = self._begin(0, BEGINS)

    def _begin(self, at: int, what: str) -> list[Draw]:
        self._log.append(Decision(at, self._actor, what, "", []))
        return self._log[-1].draws

    def wait(
        self,
        world: World,
        low: float,
        high: float,
        *,
        until: float = NEVER_S,
        at_most: float = NEVER_S,
    ) -> None:
        """Let the time to the next action pass; `until` is when this actor ends."""
        world.sleep(min(self._base.uniform(low, high), at_most))
        self._draws = self._begin(world.micros, ACTS)

    def _kept(self, method: str, value: Any) -> Any:
        self._draws.append((method, value))
        return value

    def random(self) -> float:
        return float(self._kept("random", self._base.random()))

    def choice(self, seq: Any) -> Any:
        return seq[self._kept("choice", self._base.choice(range(len(seq))))]

    def uniform(self, a: float, b: float) -> float:
        return float(self._kept("uniform", self._base.uniform(a, b)))

    def randint(self, a: int, b: int) -> int:
        return int(self._kept("randint", self._base.randint(a, b)))


class SameDice(Dice):
    """Shows again what an actor drew; a draw that was not among it is always the same one."""

    def __init__(self, actor: str, decisions: Iterable[Decision], *, ends_early: bool) -> None:
        mine = [one for one in decisions if one.who == actor]
        super().__init__(random.Random(0), actor, [])
        self._actions = deque(one for one in mine if one.what == ACTS)
        self._left = deque(draw for one in mine if one.what == BEGINS for draw in one.draws)
        ends = [one.at for one in mine if one.what == ENDS]
        never = int(NEVER_S * MICROS)  # its last wait was longer than the life
        self._ended_at = None if ends_early else next(iter(ends), never)

    def wait(
        self, world: World, low: float, high: float, *, until: float = NEVER_S, at_most: float = 0
    ) -> None:
        end = int(until * MICROS) if self._ended_at is None else self._ended_at
        action = self._actions.popleft() if self._actions else None
        at = end if action is None else min(action.at, end)
        # The world rounds up what a float adds to a microsecond.
        world.sleep(max(0.0, (at - world.micros - 0.5) / MICROS))
        self._left = deque(() if action is None else action.draws)

    def _shown(self, method: str, otherwise: float) -> float:
        if self._left and self._left[0][0] == method:
            return self._left.popleft()[1]
        return otherwise

    def random(self) -> float:
        return self._shown("random", 0.99)

    def choice(self, seq: Any) -> Any:
        return seq[int(self._shown("choice", 0)) % len(seq)]

    def uniform(self, a: float, b: float) -> float:
        return min(max(a, self._shown("uniform", a)), b)

    def randint(self, a: int, b: int) -> int:
        return int(min(max(a, self._shown("randint", a)), b))
