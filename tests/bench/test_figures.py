"""The harness itself: what it makes of arrivals, before anybody believes a table of it."""

from typing import Any

import pytest

from bench.cases import lateness
from bench.contestants import ALL, Contestant
from bench.figures import quantile, ratio, row, shown
from bench.tables import table

CELERY = Contestant("celery-beat", "file", "redis")
NOON = 1_772_366_400.0


def message(entry: int, planned: str = "") -> dict[str, Any]:
    return {"argsrepr": f"[{entry}]"} | ({"beatd_planned_at": planned} if planned else {})


def test_a_message_that_names_its_moment_is_late_by_that_moment() -> None:
    planned = "2026-03-01T12:00:00.000000+00:00"
    late, behind = lateness(ALL[0], [(NOON + 0.25, message(1, planned))])
    assert late == [0.25] and behind == 0.25


def test_a_beat_that_slips_is_behind_by_all_that_it_slipped() -> None:
    found = [(NOON + 1.1 * n, message(1)) for n in range(11)]
    late, behind = lateness(CELERY, found)
    assert late[0] == 0 and behind == pytest.approx(1.0)


def test_each_entry_is_measured_by_its_own_beat() -> None:
    found = [(NOON, message(1)), (NOON + 0.5, message(2)), (NOON + 1, message(1))]
    assert lateness(CELERY, found) == ([0, 0, 0], 0)


def test_a_row_has_medians_and_ranges_of_numbers_all_runs_have() -> None:
    runs = [{"p50_ms": 3, "steps": []}, {"p50_ms": 1, "steps": []}, {"p50_ms": 2, "more": 1}]
    assert row(runs) == {"p50_ms": {"median": 2, "least": 1, "most": 3}}


@pytest.mark.parametrize(
    ("figure", "ours", "theirs", "expected"),
    [
        ("per_second", 40_000, [1_000, 2_000], 20),
        ("p99_ms", 5, [20, 10], 2),
        ("ready_s", 0.5, [float("inf"), 5], 10),
        ("ready_s", 0.5, [float("inf")], None),
        ("per_second", 40_000, [], None),
    ],
)
def test_the_ratio_is_to_the_best_of_the_others(
    figure: str, ours: float, theirs: list[float], expected: float | None
) -> None:
    assert ratio(figure, ours, theirs) == expected


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([3, 1, 2], 0.99) == 3


def test_what_never_happened_is_said_so() -> None:
    assert shown("ready_s", float("inf")) == "never"
    assert shown("idle_cpu", 0.0031) == "0.31%"
    assert shown("per_second", 41234.5) == "41,234"


def test_a_run_that_failed_leaves_the_others_in_the_table() -> None:
    runs = {str(ALL[0]): [{"failed": "no"}, {"per_second": 9}], str(CELERY): [{"per_second": 3}]}
    made = table({"case": "herd", "size": 0, "runs": runs})
    assert list(made.columns[-1].cells) == ["3.0x", ""]
