"""The simulator sees a broken rule when there is one."""

import pytest

from tests.simulation.planted_bugs import OF_OVERLAP, PLANTED, planted
from tests.simulation.scenario import play
from tests.simulation.world import Violation

SEEDS = 1000
#: Rare bugs, and a scenario that has shown each; the search begins there.
RARE = {
    "backlogs of one entry do not know of each other": 213,
    "a plan is put however far the row has come": 159,
    "what was prepared goes in the place of another batch": 62,
    "all servers are thought to have one clock": 35,
    "the ledger does not compare the running run": 88,
    "a run does not count as running when it is sent again": 22,
    "the end of a run frees nobody": 5,
    "the ledger does not look at the term": 19,
    "trust counts from the reply": 34,
    "what could not be recorded is forgotten": 5,
    "only a leader settles its accounts": 13,
    "claims that were found are settled by their own age": 10,
    "a step pushes what is not as it was seen": 11,
    "a step that is tried again pushes again": 3,
    "what is not told in pushes is left out": 3,
    "a new leader does not wait for what is declared": 4,
    "one full queue means that the broker is away": 3,
}
#: Bugs that several faults show together, and rates at which these are frequent.
TOGETHER = {
    "every claim of a failed id counts as unsent": {
        "error": 0.3,
        "lost": 0.2,
        "unknown, arrived": 0.3,
        "crash": 0.0,
        "freeze": 0.0,
    },
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
