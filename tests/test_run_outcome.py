"""What became of a run, by what workers reported about its tasks."""

from datetime import timedelta

from beatd.outcome import Delivery, OutcomeState
from beatd.run import EPOCH
from beatd.run_outcome import run_ended, run_outcome, tasks_of_run, times_received
from beatd.stores.outcome_fold import entry_after


def task(
    part: str, state: OutcomeState, second: int = 0, error: str = "", delivery: str = "d"
) -> Delivery:
    at = EPOCH + timedelta(seconds=second)
    ended = state not in ("received", "started")
    return Delivery(
        task_id="run",
        delivery=f"{delivery}.{part}" if part else delivery,
        name="nightly",
        planned=EPOCH,
        state=state,
        at=at,
        worker="w1",
        received=at,
        started=None if state == "received" else at,
        finished=at + timedelta(seconds=1) if ended else None,
        error=error,
    )


FIRST, SECOND, THIRD = "0+1/1:1/3", "0+1/1:2/3", "0/1:3/3"  # of a chain
ONE, OTHER, LAST = "0/3:1/3", "1/3:2/3", "2/3:3/3"  # of a group


def outcome(*deliveries: Delivery) -> tuple[str, str]:
    found = run_outcome(deliveries)
    assert found is not None
    return found.state, found.error


def test_the_run_of_one_task_has_the_outcome_of_its_newest_delivery() -> None:
    assert run_outcome([]) is None
    assert outcome(task("", "lost"), task("", "succeeded", delivery="e")) == ("succeeded", "")


def test_a_chain_has_started_until_its_last_task_has_ended() -> None:
    first, second, third = (
        task(FIRST, "succeeded"), task(SECOND, "succeeded", 2), task(THIRD, "succeeded", 4),
    )  # fmt: skip
    assert outcome(task(FIRST, "received")) == ("received", "")
    assert outcome(first) == ("started", "")
    assert outcome(first, second) == ("started", "")
    assert outcome(first, second, third) == ("succeeded", "")
    found = run_outcome([first, second, third])
    assert found is not None and found.runtime == 5  # of the whole run


def test_a_chain_that_failed_says_at_which_task() -> None:
    failed = task(SECOND, "failed", 2, "proj.transform: ValueError('x')")
    text = "task 2 of 3, proj.transform: ValueError('x')"
    assert outcome(task(FIRST, "succeeded"), failed) == ("failed", text)


def test_a_group_with_one_failed_task_has_failed_though_the_others_go_on() -> None:
    failed = task(OTHER, "failed", 1, "proj.shop: KeyError(1)")
    going_on = [task(ONE, "started"), failed, task(LAST, "received")]
    assert outcome(*going_on) == ("failed", "task 2 of 3, proj.shop: KeyError(1)")
    found = run_outcome(going_on)
    assert found is not None and found.finished is None and not run_ended(going_on)
    ended = [task(ONE, "succeeded"), failed, task(LAST, "succeeded", 8)]
    assert outcome(*ended) == ("failed", "task 2 of 3, proj.shop: KeyError(1)")


def test_the_first_of_several_failures_is_shown_and_the_others_are_counted() -> None:
    failures = [task(ONE, "failed", 3, "b"), task(OTHER, "failed", 1, "a")]
    text = "task 2 of 3, a (and 1 more task did not succeed)"
    assert outcome(*failures) == ("failed", text)
    text = "task 2 of 3, a (and 2 more tasks did not succeed)"
    assert outcome(*failures, task(LAST, "revoked")) == ("failed", text)


def test_a_lost_task_that_was_delivered_again_is_no_failure() -> None:
    again = [task(ONE, "lost"), task(ONE, "succeeded", 60, delivery="e")]
    rest = [task(OTHER, "succeeded"), task(LAST, "succeeded")]
    assert outcome(*again, *rest) == ("succeeded", "")
    assert times_received([*again, *rest]) == 2
    assert times_received(rest) == 1


def test_a_retried_task_of_a_canvas_has_not_ended() -> None:
    retried = task(FIRST, "retried", 9)
    assert outcome(retried) == ("started", "")
    assert outcome(retried, task(FIRST, "received", 8, delivery="e")) == ("received", "")


def test_the_tasks_of_a_run_are_in_order_of_writing() -> None:
    found = tasks_of_run([task(LAST, "started"), task(ONE, "failed")])
    assert [(part.number, one.state) for part, one in found] == [(1, "failed"), (3, "started")]


def test_the_run_of_a_canvas_counts_once() -> None:
    """However many of its tasks failed, an entry has one failure; and one success at its end."""
    reports = [
        task(ONE, "started"), task(ONE, "failed", 1, "a"), task(OTHER, "failed", 2, "b"),
        task(LAST, "succeeded", 3),
    ]  # fmt: skip
    outcome, known = None, dict[str, Delivery]()
    for report in reports:
        old = known.pop(report.delivery, None)
        outcome = entry_after(outcome, old, report, known.values(), EPOCH)
        known[report.delivery] = report
    assert outcome is not None
    assert (outcome.failures, outcome.successes) == (1, 0)
    assert outcome.newest.state == "failed"
    assert outcome.newest.error == "task 1 of 3, a (and 1 more task did not succeed)"


def test_an_entry_succeeds_with_the_last_task_of_its_canvas() -> None:
    first, last = task(FIRST, "succeeded"), task(THIRD, "succeeded", 3)
    before = entry_after(None, None, first, [], EPOCH)
    assert (before.successes, before.newest.state) == (0, "started")
    after = entry_after(before, None, last, [first], EPOCH)
    assert (after.successes, after.newest.state) == (1, "succeeded")
