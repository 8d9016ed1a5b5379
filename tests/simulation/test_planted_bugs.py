"""The simulator sees a broken rule when there is one."""

import pytest

from tests.simulation.planted_bugs import OF_OVERLAP, PLANTED, planted
from tests.simulation.scenario import play
from tests.simulation.world import Violation

SEEDS = 1000
#: Rare bugs, and a scenario that has shown each; the search begins there.
RARE = {
    "every claim of a failed id counts as unsent": 304,
    "backlogs of one entry do not know of each other": 133,
    "a plan is put however far the row has come": 69,
    "what was prepared goes in the place of another batch": 52,
    "all servers are thought to have one clock": 35,
    "the ledger does not compare the running run": 56,
    "a run does not count as running when it is sent again": 22,
    "the end of a run frees nobody": 5,
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_seen(bug: str) -> None:
    begin = RARE.get(bug, 0)
    for seed in range(begin, begin + SEEDS):
        try:
            with planted(bug):
                play(seed, overlap=bug in OF_OVERLAP)
        except Violation:
            return
    pytest.fail(f"{bug}: not seen in {SEEDS} scenarios")
