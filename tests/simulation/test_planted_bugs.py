"""The simulator sees a broken rule when there is one."""

import pytest

from tests.simulation.bias import NONE
from tests.simulation.numbered import rare_collections
from tests.simulation.planted_bugs import PLANTED, planted
from tests.simulation.planted_needs import NEEDS
from tests.simulation.scenario import play
from tests.simulation.world import Violation

SEEDS = 150
#: The lives before these did not show the bug. Only the time that the test takes depends on them.
FIRST = {
    "all servers are thought to have one clock": 72,
    "a program too old for the store keeps the lease": 44,
    "an older leader leaves no note of its rules": 29,
    "a newer leader plans nothing again": 29,
    "what could not be recorded is forgotten": 28,
    "the ledger does not look at the term": 26,
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_seen(bug: str) -> None:
    with rare_collections(), planted(bug):
        first = FIRST.get(bug, 0)
        for seed in range(first, first + SEEDS):
            try:
                play(seed, bias=NEEDS.get(bug, NONE))
            except Violation:
                return
    pytest.fail(f"{bug}: not seen in {SEEDS} scenarios")


def test_what_is_named_here_is_a_planted_bug() -> None:
    assert set(NEEDS) | set(FIRST) <= set(PLANTED)
