"""The moments of a scheduler that names none: one a second after the run before."""

import pytest

from tests.chaos.arrivals import Arrival
from tests.chaos.peers import Peer, moments_of, takeovers
from tests.chaos.test_arrivals import NOON

START = NOON.timestamp()


def run(second: float, task_id: str = "", pid: int = 1) -> Arrival:
    return Arrival(START + second, "h", NOON, task_id or f"id-{second}", "[0]", pid)


def test_a_run_every_second_is_due_once_and_late_by_what_it_drifts() -> None:
    found = moments_of([run(0), run(1.004), run(2.01)], START + 2.5)
    assert len(found.due) == 2 and not found.missing
    assert [round(late, 3) for _, late in found.late] == [0.004, 0.006]


def test_of_an_outage_one_run_is_late_and_the_others_are_missing() -> None:
    found = moments_of([run(0), run(1), run(5), run(6)], START + 6.5)
    assert [moment - START for moment in found.missing] == [3, 4, 5]
    assert max(late for _, late in found.late) == pytest.approx(3)


def test_what_no_longer_runs_is_missing_to_the_end() -> None:
    found = moments_of([run(0), run(1)], START + 4.5)
    assert [moment - START for moment in found.missing] == [2, 3, 4]


def test_a_run_that_is_late_at_the_end_is_not_missing() -> None:
    found = moments_of([run(0), run(1), run(2.1), run(3.2)], START + 2.05)
    assert (len(found.due), found.missing) == (2, [])


def test_a_run_right_after_another_one_is_a_double() -> None:
    found = moments_of([run(0), run(0.2, "other"), run(1), run(1.3, "id-1")], START + 1.5)
    assert (len(found.other_id), len(found.same_id), len(found.due)) == (1, 1, 1)


def test_a_takeover_is_a_message_from_another_process() -> None:
    seen = [run(0), run(1, pid=2), run(2, pid=2), run(3)]
    assert takeovers(seen, START, START + 3) == 2
    assert takeovers(seen, START + 1, START + 2) == 0


def test_only_redbeat_has_a_standby() -> None:
    for system, standby in (("celery", False), ("redbeat", True), ("django", False)):
        assert (("kill", "standby") in Peer(system, "redis").kinds()) is standby
