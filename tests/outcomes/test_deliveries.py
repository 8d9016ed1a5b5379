"""Reports become deliveries."""

from beatd.outcomes.deliveries import deliveries_of
from beatd.report import Reports
from tests.outcomes.making import at, delivery, report


def test_reports_of_one_delivery_become_one_with_the_newest_state_and_all_times() -> None:
    (found,) = deliveries_of(
        [
            Reports(worker="w", reports=(report("received", 1), report("started", 2))),
            Reports(worker="w", reports=(report("failed", 5, error="ValueError: no"),)),
        ]
    )
    assert found == delivery(
        "failed",
        5,
        worker="w",
        received=at(1),
        started=at(2),
        finished=at(5),
        error="ValueError: no",
    )
    assert found.runtime == 3


def test_an_end_is_newer_than_a_start_whatever_the_order_and_the_clock() -> None:
    reports = (report("succeeded", 2), report("started", 3), report("received", 1))
    (found,) = deliveries_of([Reports(worker="w", reports=reports)])
    assert found.state == "succeeded" and found.finished == at(2) and found.started == at(3)
    assert found.runtime == 0


def test_deliveries_of_one_task_stay_apart() -> None:
    reports = (report("retried", 1, delivery="one"), report("started", 2, delivery="two"))
    found = deliveries_of([Reports(worker="w", reports=reports)])
    assert [(one.delivery, one.state) for one in found] == [("one", "retried"), ("two", "started")]
