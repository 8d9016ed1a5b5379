"""A prefork worker reports every end of a run, the death of a child included."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from beatd.report import Report
from tests.waiting import until
from tests.worker.world import MOMENT, World, facts, states

Server = Callable[[str], tuple[str, int]]
RAN = ["received", "started"]


@pytest.fixture(scope="module")
def ending(redis_broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for the test that ends its worker; it starts while the other one starts."""
    folder = tmp_path_factory.mktemp("ending")
    made = World({"url": redis_broker}, folder, pool="prefork", held_every=0.3)
    yield made
    made.worker.stop()


@pytest.fixture(scope="module")
def world(
    redis_broker: str, tmp_path_factory: pytest.TempPathFactory, ending: World
) -> Iterator[World]:
    # Installed in both ways, and twice: nothing is reported twice.
    both = ("--include", "beatd.worker.auto", "-c", "4")
    folder = tmp_path_factory.mktemp("prefork")
    with World({"url": redis_broker}, folder, *both, pool="prefork") as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def killed(world: World) -> tuple[str, str]:
    """The task ids of runs whose child is killed: one is lost, one goes back to the broker. It may
    take celery five seconds to notice."""
    return world.sent("die"), world.sent("die_once", str(world.mark()))


def last(reports: list[Report]) -> tuple[str, str]:
    return reports[-1].state, reports[-1].error


def test_a_success_is_reported_with_its_times(world: World) -> None:
    before = datetime.now(UTC)
    reports = world.ended(task_id := world.sent("add", 2, 2))
    assert states(reports) == [*RAN, "succeeded"] and not reports[-1].error
    assert len(facts(reports)) == 1
    assert facts(reports).pop()[:3] == (task_id, "the add", MOMENT)
    times = [before, *(one.at for one in reports), datetime.now(UTC)]
    assert times == sorted(times)


def test_two_deliveries_of_one_run_are_told_apart(world: World) -> None:
    one = world.run("add", 2, 2)
    world.publish(one, one)
    reports = world.ended(one.task_id, deliveries=2)
    assert states(reports) == [*RAN, "succeeded"] * 2 and len(facts(reports)) == 2


def test_a_failure_is_reported_in_one_short_line(world: World) -> None:
    reports = world.ended(world.sent("fail", "first\nsecond\0" + 600 * "x"))
    assert states(reports) == [*RAN, "failed"]
    assert reports[-1].error.startswith("ValueError: first second xxx")
    assert len(reports[-1].error) == 500


@pytest.mark.parametrize("headers", [{}, {"other": 1}])
def test_a_retry_is_no_end_and_the_next_delivery_is_reported_too(
    world: World, headers: dict[str, int]
) -> None:
    one = world.run("flaky")
    one = replace(one, entry=replace(one.entry, kwargs=headers))
    world.publish(one)
    reports = world.ended(one.task_id, deliveries=2)
    assert states(reports) == [*RAN, "retried", *RAN, "succeeded"]
    assert reports[2].error == "ValueError: not yet"
    assert {one[:3] for one in facts(reports)} == {(one.task_id, "the flaky", MOMENT)}


def test_the_hard_time_limit_is_a_failure(world: World) -> None:
    reports = world.ended(world.sent("wait", str(world.mark()), time_limit=0.3))
    assert states(reports) == [*RAN, "failed"]
    assert reports[-1].error == "TimeLimitExceeded: longer than the hard time limit of 0.3 s"


def test_a_running_task_that_is_revoked_is_reported(world: World) -> None:
    task_id = world.sent("wait", str(world.mark()))
    world.started(task_id)
    world.revoke(task_id, terminate=True)
    reports = world.ended(task_id)
    assert states(reports) == [*RAN, "revoked"] and reports[-1].error == "terminated"


def test_a_terminated_task_ends_with_its_process(world: World) -> None:
    mark = world.mark()
    task_id = world.sent("wait_after_end", str(mark))
    world.started(task_id)
    world.revoke(task_id, terminate=True, by="SIGTERM")
    mark.touch()
    reports = world.ended(task_id)
    assert states(reports) == [*RAN, "revoked"]
    assert reports[-1].at.timestamp() >= float(mark.read_text())


def test_a_run_that_is_revoked_before_it_arrives_is_reported(world: World) -> None:
    one = world.run("add", 1, 1)
    world.revoke(one.task_id)
    world.publish(one)
    reports = world.ended(one.task_id)
    assert states(reports) == ["revoked"]
    assert facts(reports).pop()[:3] == (one.task_id, "the add", MOMENT)


def test_a_run_that_is_revoked_while_it_waits_is_reported(world: World) -> None:
    one = world.run("add", 1, 1, countdown=0.3)
    world.publish(one)
    world.revoke(one.task_id)
    assert states(world.ended(one.task_id))[-1] == "revoked"


def test_a_run_that_has_expired_is_reported(world: World) -> None:
    past = datetime.now(UTC) - timedelta(seconds=5)
    reports = world.ended(world.sent("add", 1, 1, expires=past))
    assert states(reports) == ["expired"]


def test_a_task_that_the_worker_does_not_know_has_failed(world: World) -> None:
    reports = world.ended(world.sent("absent"))
    assert [last(reports)] == [
        ("failed", "NotRegistered: the worker does not know the task 'outcomes.absent'")
    ]


def test_a_message_that_the_worker_does_not_accept_has_failed(world: World) -> None:
    reports = world.ended(world.sent("add", 1, 2, serializer="yaml"))
    assert states(reports) == ["failed"]
    assert reports[-1].error.startswith("ContentDisallowed: ")


def test_a_task_may_ignore_or_reject_its_message(world: World) -> None:
    assert states(world.ended(world.sent("ignore"))) == [*RAN, "succeeded"]
    reports = world.ended(world.sent("reject", str(world.mark())), deliveries=2)
    assert states(reports) == [*RAN, "retried", *RAN, "failed"]
    assert [one.error for one in reports if one.error] == [
        "rejected: not mine; the message goes back to the broker",
        "rejected: not mine",
    ]


def test_a_task_that_another_program_sent_is_not_reported(world: World) -> None:
    sent = world.app.send_task("outcomes.add", (1, 2), queue=world.queue)
    world.ended(world.sent("add", 2, 3))
    assert world.reported(sent.id) == []


def test_a_child_that_is_killed_is_reported_by_the_parent(
    world: World, killed: tuple[str, str]
) -> None:
    reports = world.ended(killed[0])
    assert states(reports) == [*RAN, "failed"]
    assert reports[-1].error.startswith("WorkerLostError: ") and "SIGKILL" in reports[-1].error


def test_a_message_that_goes_back_when_a_child_dies_is_retried(
    world: World, killed: tuple[str, str]
) -> None:
    reports = world.ended(killed[1], deliveries=2)
    assert states(reports) == [*RAN, "retried", *RAN, "succeeded"]
    assert reports[2].error.startswith("WorkerLostError: ")
    assert reports[2].error.endswith("; the message goes back to the broker")


def test_a_worker_that_is_told_to_end_names_its_last_run_until_it_has_ended(
    ending: World,
) -> None:
    with ending as world:
        mark = world.mark()
        last, waiting = world.sent("wait", str(mark)), world.sent("add", 1, 1)
        world.started(last)
        world.end_worker()
        world.worker.says("Warm shutdown")

        def named() -> int:
            return sum(last in dict(one.held or ()) for one in world.read())

        before = named()
        until(lambda: named() >= before + 2, 10, "the run is not named")
        mark.touch()
        assert states(world.ended(last)) == [*RAN, "succeeded"]
        world.worker.process.wait(30)
        reports = world.ended(waiting)
        assert states(reports) == ["received", "retried"]
        assert (
            reports[-1].error
            == "not started; the worker ended, or lost its connection to the broker"
        )
