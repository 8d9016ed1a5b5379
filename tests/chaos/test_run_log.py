"""The verdict on what ran at once."""

from tests.chaos.run_log import Ran, judge, runs_of

LINES = """
start a 1 10 100.0
end a 1 10 103.0
start a 2 11 103.5
start a 3 12 104.0
end a 3 12 107.0
start b 7 13 100.0
""".strip().splitlines()


def test_a_run_ends_by_its_note_or_with_its_process() -> None:
    runs = runs_of(LINES, {11: 105.0}, {13: 101.0})
    assert [(one.task_id, one.end, one.killed) for one in runs] == [
        ("1", 103.0, False),
        ("7", 101.0, False),
        ("2", 105.0, True),
        ("3", 107.0, False),
    ]


def test_two_runs_at_once_are_found_and_a_second_delivery_is_counted_apart() -> None:
    one = Ran("a", "1", 10, 100.0, 103.0)
    again, other = Ran("a", "1", 11, 101.0, 104.0), Ran("a", "2", 12, 103.5, 106.0)
    found = judge([one, again, other], ["a"], now=107.0, silent_s=10)
    assert found.delivered_twice == ((one, again),)
    assert found.at_once == ((again, other),)
    assert not found.stuck


def test_an_entry_is_free_again_when_its_next_run_starts() -> None:
    runs = [Ran("a", "1", 10, 100.0, 101.0, killed=True), Ran("a", "2", 11, 131.0, 134.0)]
    assert judge(runs, ["a"], now=135.0, silent_s=10).freed_after == (30.0,)


def test_an_entry_that_no_longer_starts_is_stuck() -> None:
    runs = [Ran("a", "1", 10, 100.0, 101.0, killed=True)]
    assert judge(runs, ["a", "b"], now=200.0, silent_s=45).stuck == ("a", "b")
