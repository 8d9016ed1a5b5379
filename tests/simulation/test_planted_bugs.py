"""The simulator sees a broken rule when there is one."""

import pytest

from tests.simulation.planted import TOGETHER
from tests.simulation.planted_bugs import OF_OVERLAP, PLANTED, planted
from tests.simulation.scenario import play
from tests.simulation.world import Violation

SEEDS = 1000
#: Rare bugs, and a scenario that has shown each; the search begins there.
RARE = {
    "all servers are thought to have one clock": 520,
    "backlogs of one entry do not know of each other": 1206,
    "the ledger does not compare the running run": 181,
    "a plan is put however far the row has come": 103,
    "every claim of a failed id counts as unsent": 90,
    "what was prepared goes in the place of another batch": 30,
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_seen(bug: str) -> None:
    begin = RARE.get(bug, 0)
    for seed in range(begin, begin + SEEDS):
        try:
            with planted(bug):
                play(seed, overlap=bug in OF_OVERLAP, rates=TOGETHER.get(bug))
        except Violation:
            return
    pytest.fail(f"{bug}: not seen in {SEEDS} scenarios")
