"""A life that fails is played again from its decisions, shrunk, and told."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.simulation.__main__ import main
from tests.simulation.bias import Bias
from tests.simulation.course import Course, Replay
from tests.simulation.decisions import Script
from tests.simulation.planted_bugs import planted
from tests.simulation.scenario import play
from tests.simulation.shrink_life import Shrunk, broken_by, replay, shrunk
from tests.simulation.story import LINES_MAX, moments_in, plain, story

OLD_TERM, ITS_SEED = "the ledger does not look at the term", 1
WENT_BACK, ITS_THIRD_SEED = "a store that went back is not noticed", 15
REVISION, ITS_OTHER_SEED = "the ledger does not compare the revision", 2


def shrunk_with(bug: str, seed: int, **more: int) -> Shrunk:
    with planted(bug):
        found = shrunk(seed, **more)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [3, 8, 13], ids=["one redis", "in steps", "workers"])
def test_a_life_that_was_written_down_is_the_same_again(seed: int, tmp_path: Path) -> None:
    first, again, course = list[str](), list[str](), Course()
    play(seed, overlap=seed == 13, trace=first, course=course)
    script = course.script(seed, overlap=seed == 13)
    assert len(script.faults) > 5
    script.write(tmp_path / "seed.json")
    assert Script.read(tmp_path / "seed.json") == script
    replay(script, trace=again)
    assert [line for line in again if "broker: " not in line] == first
    assert first == play(seed, overlap=seed == 13).trace


def test_a_life_that_fails_is_shrunk_to_a_few_faults_and_names_the_rule() -> None:
    found = shrunk_with(OLD_TERM, ITS_SEED)
    assert found.rule == "S3"
    assert found.faults_before > 10 and len(found.script.faults) <= 3
    with planted(OLD_TERM):
        assert broken_by(found.script)[0] == "S3"
        told = story(found.script, f"python -m … --from {ITS_SEED}", found.faults_before)
    assert broken_by(found.script)[0] == "", "it is the bug that breaks it"
    faults = f"{len(found.script.faults)} of {found.faults_before} faults and edits"
    assert told[0] == f"seed {ITS_SEED} with {faults}"
    broken = re.search(r"broken: S3 (daemon \w+) claimed (entry|file)", told[-3])
    assert broken is not None
    assert any(f"{broken[1]} leads" in line for line in told)
    assert any(f"{broken[1]} claims {broken[2]}" in line for line in told)
    assert told[-2] == "rule S3: nothing is claimed under an old term"
    assert told[-1] == f"again: python -m … --from {ITS_SEED}"
    assert len(told) <= LINES_MAX + 5


def test_an_edit_without_which_nothing_breaks_is_left() -> None:
    found = shrunk_with(REVISION, ITS_OTHER_SEED)
    with planted(REVISION):
        told = "\n".join(story(found.script))
    assert len(found.script.faults) <= 3
    assert "an operator " in told or "the file " in told
    assert "rule S4: nothing is claimed that was removed, paused, edited or over by then" in told


RARE = Bias(losses=True, stale=True, batches=True)


def test_what_rare_actors_do_is_written_down_and_played_again() -> None:
    first, again, course = list[str](), list[str](), Course()
    play(5, bias=RARE, trace=first, course=course)
    script = course.script(5, overlap=False)
    assert {"losses", "reads", "batches"} <= {one.who for one in script.faults}
    play(5, bias=RARE, trace=again, course=Replay(script))
    assert [line for line in again if "broker: " not in line] == first


def test_the_one_loss_without_which_nothing_breaks_is_left() -> None:
    with planted(WENT_BACK):
        found = shrunk(ITS_THIRD_SEED, needs=WENT_BACK)
        assert found is not None
        told = "\n".join(story(found.script))
    assert [one.who for one in found.script.faults].count("losses") == 1
    assert "the store forgets what it acknowledged last" in told
    assert "rule L6: who claims again what it has sent reports that" in told


def test_the_same_life_is_shrunk_in_the_same_way() -> None:
    first, second = (shrunk_with(OLD_TERM, ITS_SEED, tries_max=12) for _ in range(2))
    assert first == second and first.tries == 12


def test_a_life_that_keeps_every_promise_is_not_shrunk() -> None:
    assert shrunk(ITS_SEED) is None


def test_the_command_plays_the_life_of_a_story_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shrunk_with(OLD_TERM, ITS_SEED, tries_max=40)
    found.script.write(tmp_path / "seed.json")
    words = ["--from", f"{ITS_SEED}", "--decisions", str(tmp_path / "seed.json")]
    assert main([*words, "--plant", OLD_TERM]) == 1
    assert "rule S3: nothing is claimed under an old term" in capsys.readouterr().out
    assert main([*words, "--plant", OLD_TERM, "--trace"]) == 1
    assert f"seed {ITS_SEED}: Violation: S3 " in capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == f"seed {ITS_SEED}: all promises held\n"


SAYS: Mapping[str, str] = {
    "S1 claimed twice: ('entry 5', 1, datetime.datetime(2026, 3, 1, 0, 0, 4, 500000,"
    " tzinfo=datetime.timezone.utc), '')": "S1 claimed twice: entry 5 (run 00:00:04.5)",
    "S3 a.1 claimed entry 2 with the old term Term(number=1, token='4ff')": "S3 daemon A1 claimed"
    " entry 2 with the old term 1",
    "S9 entry 1 of 2026-03-01 00:00:07+00:00 was early": "S9 entry 1 of 00:00:07 was early",
}


@pytest.mark.parametrize("broken", SAYS)
def test_what_was_broken_is_said_without_the_words_of_python(broken: str) -> None:
    assert plain(broken) == SAYS[broken]
    assert len(moments_in(broken)) == ("old term" not in broken)
