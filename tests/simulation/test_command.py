"""The command that plays many scenarios: what it prints, and how it ends."""

import signal
from pathlib import Path

import pytest

from tests.simulation import failures, numbered
from tests.simulation.__main__ import main
from tests.simulation.planted import main as planted_bugs_counted
from tests.simulation.planted_bugs import planted
from tests.simulation.scenario import Scenario, play

SEEN = "a lease is renewed whoever holds it"  # a bug that the first scenario shows


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_it_counts_the_scenarios_and_their_pace(
    jobs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seeds", "3", "--from", "40", "--jobs", jobs]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("3 of 3 seeds, 0 broken, ")
    assert " seeds/s and core, in " in printed


def test_it_names_the_seeds_that_break_a_promise(capsys: pytest.CaptureFixture[str]) -> None:
    with planted(SEEN):
        assert main(["--seeds", "2", "--jobs", "1", "--shrink-s", "0"]) == 1
    printed = capsys.readouterr().out
    assert "seed 0: Violation: S6 " in printed
    assert "again: python -m tests.simulation --from 0 --trace" in printed


def test_it_tells_the_story_of_a_seed_that_breaks_a_promise(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(failures, "KEPT_IN", tmp_path)
    assert main(["--seeds", "1", "--jobs", "1", "--plant", SEEN]) == 1
    *_, rule, again = capsys.readouterr().out.splitlines()
    assert rule.startswith("rule S6: one daemon leads")
    file = tmp_path / "seed-0.json"
    command = f"python -m tests.simulation --seeds 1 --from 0 --decisions {file} --plant '{SEEN}'"
    assert again == f"again: {command}"
    assert main(["--decisions", str(file), "--plant", SEEN]) == 1
    assert rule in capsys.readouterr().out


def test_it_counts_the_lives_that_a_planted_bug_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert planted_bugs_counted([SEEN, "--repeat", "3", "--most", "2", "--jobs", "1"]) == 0
    heads, counts = capsys.readouterr().out.splitlines()
    assert heads.split()[-1] == "bug"
    assert counts.split() == ["1", "1", "1", *SEEN.split()]


def test_it_prints_the_trace_of_a_seed_that_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    with planted(SEEN):
        assert main(["--from", "0", "--trace"]) == 1
    *trace, last = capsys.readouterr().out.splitlines()
    assert last.startswith("seed 0: Violation: S6 ")
    assert any("LeadWon" in line for line in trace)


def test_stopped_it_prints_what_it_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(seed: int, **more: bool) -> Scenario:
        if seed == 20:
            signal.raise_signal(signal.SIGTERM)
        return play(seed, **more)

    monkeypatch.setattr(numbered, "play", stops)
    monkeypatch.setattr("tests.simulation.__main__.CHUNK", 1)
    assert main(["--seeds", "90", "--from", "18", "--jobs", "1"]) == 130
    assert "stopped after 2 of 90 seeds, 0 broken, " in capsys.readouterr().out


def test_an_error_in_a_scenario_is_a_broken_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(seed: int, **more: bool) -> Scenario:
        raise KeyError("entry 7")

    monkeypatch.setattr(numbered, "play", breaks)
    assert main(["--seeds", "1", "--jobs", "1"]) == 1
    assert "seed 0: KeyError: 'entry 7'" in capsys.readouterr().out
