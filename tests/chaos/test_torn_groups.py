"""A leader that is killed while it sends a group: each member is sent, none under a second id."""

import os
from pathlib import Path

import pytest

from tests.chaos.pair import PAIRS
from tests.chaos.torn_groups import NAMES, Verdict, run
from tests.run.servers import DoesNotStart


def judged(name: str, kills: int, logs: Path) -> Verdict:
    try:
        return run(PAIRS[name], kills, f"1 {name}", logs)
    except DoesNotStart as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long if PAIRS[name].one else []) for name in NAMES],
)
def test_a_group_is_whole_after_its_leader_was_killed(name: str, tmp_path: Path) -> None:
    kills = 1 if PAIRS[name].one else 2
    found = judged(name, kills, tmp_path)
    assert (found.kills, found.lacking, found.other_ids) == (kills, 0, 0)
    assert found.torn or PAIRS[name].one


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
def test_a_hundred_groups_are_whole_after_their_leader_was_killed(
    name: str, tmp_path: Path
) -> None:
    assert judged(name, 100, tmp_path).whole
