"""The contract of Outcomes for a run of several tasks, kept by every store."""

from typing import Any

import pytest

from beatd.outcome import Delivery
from beatd.run import Run
from beatd.run_part import delivery_id
from beatd.store import Store
from tests.stores.making import at, lead, row
from tests.stores.running_runs import delivery, put_queued, started


@pytest.fixture
def run(store: Store) -> Run:
    return started(store, put_queued(store), lead(store))


def of_part(run: Run, part: str, state: Any, when: float) -> Delivery:
    random, _, part = part.rpartition("=")
    return delivery(run, state, when, delivery=delivery_id(random or f"id{part[0]}", part))


def written(store: Store, run: Run, *reports: tuple[str, str]) -> list[str]:
    """Write the reports one by one, and return what the entry's newest run is after each.

    A report is the part and the state; "again=0/1:1/1" is another delivery of the part.
    """
    states = []
    for when, (part, state) in enumerate(reports, 3):
        store.write_outcomes([of_part(run, part, state, when)], at(when))
        ends = "running" if row(store).running is not None else "over"
        states.append(f"{store.entry_outcomes(['tidy'])['tidy'].newest.state}, {ends}")
    return states


def test_a_chain_is_over_with_its_last_task(store: Store, run: Run) -> None:
    reports = (("0+1/1:1/2", "started"), ("0+1/1:1/2", "succeeded"), ("0/1:2/2", "succeeded"))
    # The id of a delivery begins alike, and its part differs.
    assert written(store, run, *reports) == [
        "started, running",
        "started, running",
        "succeeded, over",
    ]
    assert store.entry_outcomes(["tidy"])["tidy"].successes == 1


@pytest.mark.parametrize("state", ["failed", "expired", "revoked", "lost"])
def test_a_chain_is_over_with_a_task_that_does_not_succeed(
    store: Store, run: Run, state: str
) -> None:
    assert written(store, run, ("0+1/1:1/2", state)) == [f"{state}, over"]


def test_a_group_is_over_with_its_last_task(store: Store, run: Run) -> None:
    reports = (("1/3:2/3", "succeeded"), ("0/3:1/3", "failed"), ("2/3:3/3", "succeeded"))
    assert written(store, run, *reports) == ["started, running", "failed, running", "failed, over"]
    outcome = store.entry_outcomes(["tidy"])["tidy"]
    assert (outcome.failures, outcome.successes) == (1, 0)


def test_a_group_whose_tasks_all_succeed_succeeds_once(store: Store, run: Run) -> None:
    assert (
        written(store, run, ("1/2:2/2", "succeeded"), ("0/2:1/2", "succeeded"))[-1]
        == "succeeded, over"
    )
    outcome = store.entry_outcomes(["tidy"])["tidy"]
    assert (outcome.failures, outcome.successes) == (0, 1)


def test_a_retried_task_of_a_group_is_not_over(store: Store, run: Run) -> None:
    reports = (("0/2:1/2", "retried"), ("1/2:2/2", "succeeded"))
    assert written(store, run, *reports)[-1].endswith(", running")


def test_a_retried_task_of_a_chord_is_not_over_when_another_fails(store: Store, run: Run) -> None:
    one, other = "0,2+1/3:1/3", "1,2+1/3:2/3"
    reports = ((one, "retried"), (other, "failed"), (f"again={one}", "succeeded"))
    assert written(store, run, *reports) == ["started, running", "failed, running", "failed, over"]


def test_a_chord_that_failed_is_not_over_before_all_of_its_header(store: Store, run: Run) -> None:
    """No worker has received the second task when the first one fails."""
    reports = (("0,2+1/3:1/3", "failed"), ("1,2+1/3:2/3", "succeeded"))
    assert written(store, run, *reports) == ["failed, running", "failed, over"]


def test_a_chord_is_over_with_its_body(store: Store, run: Run) -> None:
    header = (("0,2+1/3:1/3", "succeeded"), ("1,2+1/3:2/3", "succeeded"))
    assert written(store, run, *header, ("2/3:3/3", "succeeded")) == [
        "started, running",
        "started, running",
        "succeeded, over",
    ]


def test_a_lost_task_that_was_delivered_again_does_not_end_a_chain(store: Store, run: Run) -> None:
    """The run is not over while no worker has received the task after it."""
    first, last = "0+1/1:1/2", "0/1:2/2"
    reports = (
        (first, "started"), (f"again={first}", "succeeded"), (first, "lost"), (last, "succeeded"),
    )  # fmt: skip
    assert written(store, run, *reports)[1:] == [
        "started, running",
        "started, running",
        "succeeded, over",
    ]
