"""A report that no store could keep is left out, and the others stay."""

from datetime import datetime

import pytest

from beatd.outcomes.valid_reports import DROPPED_MAX, valid
from beatd.report import Report, Reports
from tests.outcomes.making import report

WRONG = [
    report("started", 1, id="with\0nul"),
    report("started", 1, id=""),
    report("started", 1, delivery="d" * 65),
    report("started", 1, delivery="d "),
    report("started", 1, entry="line\nbreak"),
    report("started", 1, entry="n" * 251),
    report("started", 1, planned=datetime(2026, 3, 1)),  # noqa: DTZ001  # that is what is wrong
    report("started", 1, at=datetime.fromisoformat("9999-12-31T23:59:59-12:00")),
    report("started", 1, at=datetime.fromisoformat("0001-01-01T00:00:00+12:00")),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_an_invalid_report_is_counted_and_the_next_one_stays(wrong: Report) -> None:
    right = report("started", 1)
    checked, invalid = valid(Reports(worker="w", reports=(wrong, right)))
    assert checked.reports == (right,) and invalid == 1


def test_texts_lose_their_control_characters() -> None:
    told = Reports(worker="w\0\x1b[31m", reports=(report("failed", 1, error="a\n\0b"),))
    checked, invalid = valid(told)
    assert checked.worker == "w[31m" and checked.reports[0].error == "a b" and not invalid


def test_held_runs_with_impossible_ids_are_left_out() -> None:
    checked, _ = valid(Reports(worker="w", held=(("t", "d"), ("\0", "d"))))
    assert checked.held == (("t", "d"),)


def test_a_number_of_dropped_reports_is_one_that_a_counter_can_add() -> None:
    checked, _ = valid(Reports(worker="w", dropped=10**400))
    assert checked.dropped == DROPPED_MAX
    assert valid(Reports(worker="w", dropped=-1))[0].dropped == 0
