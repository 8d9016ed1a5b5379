"""The simulator sees a broken rule when there is one."""

import pytest

from tests.simulation.bias import NONE
from tests.simulation.numbered import rare_collections
from tests.simulation.planted_bugs import PLANTED, planted
from tests.simulation.planted_needs import NEEDS
from tests.simulation.scenario import play
from tests.simulation.world import Violation

SEEDS = 150  # all have been seen in the first forty


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_seen(bug: str) -> None:
    with rare_collections(), planted(bug):
        for seed in range(SEEDS):
            try:
                play(seed, bias=NEEDS.get(bug, NONE))
            except Violation:
                return
    pytest.fail(f"{bug}: not seen in {SEEDS} scenarios")


def test_what_is_needed_is_needed_by_a_planted_bug() -> None:
    assert set(NEEDS) <= set(PLANTED)
