"""A campaign finds what is planted, makes it small, and writes it down."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from beatd.errors import ConfigError
from tests.fuzz import attempt, campaign
from tests.fuzz.__main__ import main
from tests.fuzz.campaign import Campaign, Report
from tests.fuzz.mutate import Mutator
from tests.fuzz.target import Target
from tests.fuzz.targets.texts import direct

SEEDS = (b"name: value", b'{"a": [1, 2]}', b"boom, at the end of a longer text")


def campaign_on(call: Callable[[bytes], str], folder: Path, inputs: int = 300) -> Report:
    target = Target(
        name="planted", about="", seeds=lambda: SEEDS, opened=direct(call), words=("boom",)
    )
    return Campaign(target, inputs=inputs, seed=1, folder=folder, traces=False).run()


def test_an_unexpected_exception_is_a_finding_and_its_input_is_made_small(tmp_path: Path) -> None:
    def call(data: bytes) -> str:
        if b"boom" in data:
            raise KeyError("boom")
        return "well"

    (found,) = campaign_on(call, tmp_path).findings
    assert found.what.startswith("KeyError in")
    assert Path(found.path).read_bytes() == b"boom"
    assert Path(found.path).parent == tmp_path / "planted"


def test_a_refusal_is_none_unless_it_has_two_lines(tmp_path: Path) -> None:
    def call(data: bytes) -> str:
        raise ConfigError("one\ntwo" if data.startswith(b"{") else "one")

    (found,) = campaign_on(call, tmp_path).findings
    assert found.what == "ConfigError with more than one line"
    assert Path(found.path).read_bytes() == b"{"


def test_a_call_without_an_end_is_ended_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "CPU_S", 0.01)

    def call(data: bytes) -> str:
        while data == SEEDS[1]:
            pass
        return "well"

    (found,) = campaign_on(call, tmp_path, 20).findings
    assert found.what.startswith("hang")
    assert Path(found.path).read_bytes() == SEEDS[1]


def test_of_many_inputs_at_once_the_one_that_fails_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "MANY_FROM", 0)
    sizes: list[int] = []

    def call(data: bytes) -> str:
        if b"boom" in data:
            raise KeyError("boom")
        return "well"

    def call_many(inputs: Sequence[bytes]) -> Sequence[bytes]:
        sizes.append(len(inputs))
        for data in inputs:
            call(data)
        return [data for data in inputs if data.startswith(b"alone")]

    target = Target(
        name="planted", about="", seeds=lambda: (b"name: value",), opened=direct(call),
        made=lambda rng: rng.choice((b"well", b"well", b"well", b"alone", b"a boom")),
        opened_many=lambda _: nullcontext(call_many), many=8,
    )  # fmt: skip
    report = Campaign(target, inputs=200, seed=1, folder=tmp_path, traces=False).run()
    (found,) = report.findings
    assert Path(found.path).read_bytes() == b"boom"
    assert report.inputs == 200
    assert sizes[0] == 8 and 1 in sizes


def test_inputs_that_fail_only_together_are_kept_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "MANY_FROM", 0)

    def call_many(inputs: Sequence[bytes]) -> Sequence[bytes]:
        assert len(set(inputs)) < 2, "two beside each other"
        return []

    target = Target(
        name="planted", about="", seeds=lambda: (b"name",), opened=direct(lambda data: "well"),
        made=lambda rng: rng.choice((b"one", b"two")), many=8,
        opened_many=lambda _: nullcontext(call_many),
    )  # fmt: skip
    (found,) = Campaign(target, inputs=50, seed=1, folder=tmp_path, traces=False).run().findings
    assert found.what.endswith("together")
    assert set(Path(found.path).read_bytes().split(b"\n")) == {b"one", b"two"}


def test_memory_that_grows_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "GROWTH_MB", 5)
    kept: list[Any] = []

    def call(data: bytes) -> str:
        kept.append(bytearray(b"x" * 100_000))
        return "well"

    (found,) = campaign_on(call, tmp_path).findings
    assert found.what.startswith("memory grew by")


def test_the_same_seed_makes_the_same_inputs() -> None:
    def inputs(seed: str) -> list[bytes]:
        mutator = Mutator(seed, ("a", "b"))
        return [mutator.made(SEEDS) for _ in range(200)]

    assert inputs("1") == inputs("1") != inputs("2")
    assert len(set(inputs("1"))) > 150


def test_the_command_prints_a_table_and_fails_on_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["duration", "--inputs", "50", "--corpus", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "inputs/s" in shown and "duration" in shown and "0 findings" in shown
    assert main(["nonsense"]) == 2
