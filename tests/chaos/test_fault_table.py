"""The table of a run: each moment is counted once, under the fault during which it was due."""

from tests.chaos.fault_table import ALL, CALM, Line, lines, text
from tests.chaos.faults import Fault
from tests.chaos.moments import Moments, moments_of
from tests.chaos.test_verdict import NOON, RULE, all_but, arrival
from tests.chaos.verdict import MISSING, Struck, Verdict, Violation

KILL = Fault(kind="kill", target="leader", lasts_s=1, offset_s=0)
CUT = Fault(kind="cut", target="redis", lasts_s=1, offset_s=0)
STRUCK = (Struck(KILL, 10, 11, 12, takeovers=1), Struck(CUT, 20, 21, 22), Struck(KILL, 30, 31, 32))


def by_name(found: list[Line]) -> dict[str, Line]:
    return {line.fault: line for line in found}


def test_a_moment_belongs_to_the_fault_until_all_entries_are_on_time_again() -> None:
    moments = Moments(due=[8.9, 9.0, 12.0, 12.1, 21.0, 33.0], missing=[12.0], same_id=[21.0])
    found = by_name(lines(moments, STRUCK))
    assert list(found) == ["cut redis", "kill leader", CALM, ALL]
    assert [(one.faults, one.due, one.takeovers) for one in found.values()] == [
        (1, 1, 0),
        (2, 2, 1),
        (0, 3, 0),
        (3, 6, 1),
    ]
    assert (found["kill leader"].missing, found[CALM].missing, found[ALL].missing) == (1, 0, 1)
    assert (found["cut redis"].same_id, found[ALL].same_id) == (1, 1)


def test_a_fault_can_last_a_little_longer_than_it_shows() -> None:
    moments = Moments(due=[12.5, 13.5])
    assert by_name(lines(moments, STRUCK))[CALM].due == 2
    assert by_name(lines(moments, STRUCK, after_s=1.0))[CALM].due == 1


def test_what_is_due_after_a_fault_that_does_not_end_belongs_to_it_until_the_next_one() -> None:
    struck = [Struck(KILL, 10, 11, None), Struck(CUT, 80, 81, 82)]
    found = by_name(lines(Moments(due=[40.0, 80.0, 90.0]), struck))
    assert [line.due for line in found.values()] == [1, 1, 1, 3]


def test_lateness_has_its_median_its_p99_and_its_maximum() -> None:
    late = [(10.0, ms / 1000) for ms in range(100)] + [(11.0, 2.5)]
    found = lines(Moments(late=late), STRUCK)
    told = by_name(found)
    assert told["cut redis"].late_ms is None
    assert "| kill leader | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 50 ms | 99 ms | 2.5 s | 1 |" in text(found)


def test_moments_are_taken_from_rules_messages_and_the_verdict() -> None:
    arrivals, _ = all_but(3)
    second, noon = arrival(5, "another", late_s=1), NOON.timestamp()
    gone = Violation(MISSING, "", "e", arrival(3).planned)
    verdict = Verdict(violations=[gone], not_run=[noon + 4])
    found = moments_of([RULE], [*arrivals, second, arrival(6)], verdict, noon + 2, noon + 9.5)
    assert found.due == [noon + n for n in range(10)]
    assert (found.missing, found.other_id, found.same_id) == ([noon + 3], [noon + 5], [noon + 6])
    assert (len(found.late), found.early, found.skipped) == (7, [], [noon + 4])
