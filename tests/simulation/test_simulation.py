"""Lives under every fault at once; a seed that fails is run again with `-k 'seed17'`."""

import pytest

from tests.simulation.life import live


@pytest.mark.parametrize("seed", range(40), ids=lambda seed: f"seed{seed}")
def test_a_life(seed: int) -> None:
    live(seed)
