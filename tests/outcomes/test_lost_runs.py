"""A run is lost when its worker no longer names it, as far as the leader could have heard it."""

from datetime import timedelta

from beatd.outcomes.lost_runs import LostRuns
from beatd.run import Running
from tests.outcomes.making import PLANNED, at, delivery

LIVE = ("t", "d")


def read_for(live: LostRuns, seconds: int, since: int = 0) -> int:
    """Read once a second; return the time afterwards."""
    for elapsed in range(since, since + seconds + 1):
        live.read_until(elapsed)
    return since + seconds


def states(live: LostRuns, seconds: float = 0) -> list[str]:
    return [one.state for one in live.lost(at(seconds))]


def test_a_run_that_nobody_names_for_30_s_is_lost() -> None:
    live = LostRuns()
    live.note([delivery("started", started=at(0), worker="w")])
    now = read_for(live, 30)
    assert states(live) == []
    read_for(live, 1, now)
    (lost,) = live.lost(at(31))
    assert lost == delivery("lost", 31, started=at(0), worker="w")


def test_a_named_run_is_not_lost() -> None:
    live = LostRuns()
    live.note([delivery("received")])
    now = read_for(live, 25)
    live.name([LIVE])
    now = read_for(live, 25, now)
    assert states(live) == []
    read_for(live, 6, now)
    assert states(live) == ["lost"]


def test_a_lost_run_stays_until_it_is_written() -> None:
    live = LostRuns()
    live.note([delivery("started")])
    read_for(live, 31)
    assert states(live) == states(live) == ["lost"]
    live.note(live.lost(at(31)))
    assert states(live) == [] and live.started == 0


def test_an_ended_run_is_not_lost() -> None:
    live = LostRuns()
    live.note([delivery("started")])
    live.note([delivery("succeeded")])
    read_for(live, 60)
    assert states(live) == []


def test_time_in_which_nothing_was_read_is_no_silence() -> None:
    live = LostRuns()
    live.note([delivery("started")])
    now = read_for(live, 20)
    live.pause()  # the broker is away for five minutes
    now = read_for(live, 10, now + 300)
    assert states(live) == []
    read_for(live, 1, now)
    assert states(live) == ["lost"]


def test_a_long_gap_between_two_reads_counts_little() -> None:
    live = LostRuns()
    live.note([delivery("started")])
    for elapsed in (0, 3600, 7200):  # the machine was suspended, or the store was slow
        live.read_until(elapsed)
    assert states(live) == []


def test_what_was_live_before_the_lead_counts_as_named_at_its_start() -> None:
    live = LostRuns()
    live.read_until(0)
    live.read_until(2)
    live.begin([delivery("started")])
    now = read_for(live, 30, 1000)
    assert states(live) == []
    read_for(live, 1, now)
    assert states(live) == ["lost"]


def test_only_named_running_runs_whose_time_ends_soon_are_prolonged() -> None:
    live = LostRuns()
    live.name([("soon", "d"), ("later", "d")])

    def running(task_id: str, seconds: float) -> Running:
        return Running(task_id, PLANNED, PLANNED + timedelta(seconds=seconds))

    runs = {"a": running("soon", 29), "b": running("later", 31), "c": running("silent", 5)}
    assert live.to_prolong(runs, PLANNED) == ["soon"]
    now = read_for(live, 31)
    assert live.to_prolong(runs, PLANNED) == []
    assert live.lost(at(now)) == []  # nothing is known of the deliveries, but their names
    assert not live.holds_named()


def test_the_number_of_started_runs() -> None:
    live = LostRuns()
    live.note([delivery("started", delivery="1"), delivery("received", delivery="2")])
    assert live.started == 1
    live.note([delivery("failed", delivery="1")])
    assert live.started == 0


def test_a_report_is_completed_by_the_earlier_ones() -> None:
    live = LostRuns()
    live.note([delivery("started", 2, started=at(2), received=at(1), worker="w")])
    ended = live.completed(delivery("succeeded", 5, finished=at(5)))
    assert ended.runtime == 3 and ended.received == at(1) and ended.worker == "w"


def test_a_new_lead_goes_on_to_count_the_silence_about_a_run() -> None:
    live = LostRuns()
    # The worker died; another one of the same name runs something else.
    dead, other = delivery("started", worker="w"), delivery("started", task_id="u", worker="w")
    live.note([dead, other])
    now = read_for(live, 20)
    live.name([("u", "d")])
    later = at(1000)
    running = {"e": Running("t", at(0), later), "f": Running("u", at(0), later)}
    assert live.silences(running) == {"t": 20.0}
    live.begin([dead, other], live.silences(running))
    now = read_for(live, 10, now)
    assert states(live) == []
    read_for(live, 1, now)
    assert [one.task_id for one in live.lost(at(31))] == ["t"]


def test_only_the_silence_about_running_runs_is_remembered() -> None:
    live = LostRuns()
    live.note([delivery("started", worker="w")])
    read_for(live, 20)
    assert live.silences({}) == {}
