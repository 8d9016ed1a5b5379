"""What a worker executed and what the history has are the same runs."""

from msgspec.structs import replace

from tests.chaos.outcomes import INVENTED, UNREPORTED, judge
from tests.chaos.test_verdict import NOON, arrival, record, struck
from tests.chaos.verdict import Record
from tests.chaos.worker_app import Executed

LATER = NOON.timestamp() + 100


def executed(second: int) -> Executed:
    one = arrival(second)
    return Executed(one.at, one.entry, one.planned, one.task_id)


def known(second: int, outcome: str | None) -> Record:
    return replace(record(second), task_id=f"id-{second}", outcome=outcome)


def test_an_executed_run_has_an_outcome_unless_something_was_broken() -> None:
    runs = [executed(n) for n in (1, 2, 2, 5)]
    records = [known(1, "succeeded"), known(2, None), known(5, "lost")]
    found = judge(runs, records, [struck(4, 6)], LATER)
    assert (found.executed, found.known, found.unreported) == (3, 1, 2)
    assert [(one.kind, one.planned) for one in found.violations] == [
        (UNREPORTED, executed(2).planned)
    ]


def test_what_was_executed_at_the_very_end_is_not_reported_yet() -> None:
    assert judge([executed(2)], [known(2, None)], [], NOON.timestamp() + 2).unreported == 0


def test_no_run_succeeds_that_no_worker_executed() -> None:
    found = judge([], [known(1, "succeeded"), known(2, "received")], [], LATER)
    assert [one.kind for one in found.violations] == [INVENTED]
