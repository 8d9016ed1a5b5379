"""The simulator sees a broken rule when there is one."""

import pytest

from tests.simulation.planted_bugs import PLANTED, planted
from tests.simulation.scenario import play
from tests.simulation.world import Violation

SEEDS = 1000


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_seen(bug: str) -> None:
    for seed in range(SEEDS):
        try:
            with planted(bug):
                play(seed)
        except Violation:
            return
    pytest.fail(f"{bug}: not seen in {SEEDS} scenarios")
