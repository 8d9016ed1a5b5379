"""What many lives have tried is counted, and what none has is named."""

import json
from collections import Counter
from pathlib import Path

import pytest

from beatd.engine.tick import Tick
from tests.simulation import branches, call_sites
from tests.simulation.__main__ import main
from tests.simulation.course import Aimed
from tests.simulation.numbered import Played, play_all
from tests.simulation.scenario import play
from tests.simulation.unreached import UNREACHED, unlisted


@pytest.fixture(scope="module")
def played() -> Played:
    with branches.counted():
        return play_all(range(3))


def test_each_branch_is_counted(played: Played) -> None:
    taken, name = played.branches, "engine.tick Tick.tick: called"
    assert taken[name] > 100
    assert taken["engine.election Election._campaign: if holder.token != self._me.token"] > 10
    assert taken["engine.tick Tick.use: called"] == 0
    assert len(taken) > 500


def test_counting_changes_no_life_and_ends() -> None:
    code = Tick.tick.__code__
    with branches.counted():
        assert Tick.tick.__code__ is not code
        trace = play(2).trace
    assert Tick.tick.__code__ is code
    assert trace == play(2).trace


def test_each_reason_is_for_branches_that_there_are(played: Played) -> None:
    for begins in UNREACHED.values():
        for begin in begins:
            assert any(branch.startswith(begin) for branch in played.branches), begin


def test_a_branch_without_a_reason_is_named() -> None:
    known = "engine.tick Tick.use: called"
    assert unlisted([known, "engine.tick Tick.tick: called"]) == ["engine.tick Tick.tick: called"]


def test_each_kind_of_fault_is_expected_at_each_call() -> None:
    played = Played(passed=Counter({("publish", False): 9, ("publish", True): 8}))
    played.seen = Counter({"crash before publish": 2, "lost after publish": 1})
    lacking = call_sites.unhit(played)
    assert {"slow before publish", "error before publish", "crash after publish"} <= set(lacking)
    assert "message: unsent" in lacking and "store.claim was never called" in lacking
    assert not {"crash before publish", "lost after publish", "lost before publish"} & set(lacking)
    assert "error after publish" not in lacking


def test_a_life_is_aimed_at_a_call_that_no_fault_has_struck(played: Played) -> None:
    site = "store.write", True
    some = Played(passed=played.passed, seeds_of={site: played.seeds_of[site]})
    call_sites.aim(some)
    assert some.aimed == 4 and not some.broken_aimed
    assert all(some.seen[f"{kind} after store.write"] for kind in call_sites.kinds_at(True))


def test_an_aimed_fault_strikes_once() -> None:
    course = Aimed("slow 2.5", "before store.write")
    seen = play(1, course=course).seen
    assert course.has_struck and seen["slow before store.write"] >= 1


def test_the_command_prints_and_writes_what_was_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "figures.json"
    assert main(["--seeds", "2", "--jobs", "1", "--coverage", "--json", str(to)]) == 0
    printed = capsys.readouterr().out
    assert "before store.claim" in printed and " branches taken\n" in printed
    assert "not taken: engine.tick Tick.use: called" in printed
    found = json.loads(to.read_text())
    assert found["seeds"] == 2 and found["seeds_per_second_and_core"] > 0
    assert found["calls"]["before store.claim"] > 0 and "crash" in found["faults"]
    assert "freeze before broker" in found["lacking"]
