"""The counting itself, before anybody believes a table of it."""

from datetime import UTC, datetime, timedelta

from tests.chaos.arrivals import Arrival, doubled, lost, silence

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def arrival(tenth: int, task_id: str = "", late: float = 0.0) -> Arrival:
    planned = NOON + timedelta(seconds=tenth / 10)
    return Arrival(planned.timestamp() + late, "one", planned, task_id or f"id-{tenth}")


def test_a_moment_without_a_message_is_lost() -> None:
    assert lost([arrival(n) for n in (0, 1, 4, 3, 6)], 0.1) == [
        arrival(n).planned.timestamp() for n in (2, 5)
    ]


def test_a_moment_with_two_messages_is_doubled_under_the_id_of_the_first_or_not() -> None:
    same, other = doubled([arrival(1), arrival(2), arrival(1), arrival(2, "another")])
    assert (same, other) == ([arrival(1)], [arrival(2, "another")])


def test_silence_is_what_lies_between_two_messages_or_before_the_first() -> None:
    noon = NOON.timestamp()
    assert round(silence([arrival(1), arrival(2), arrival(9)], noon), 3) == 0.7
    assert round(silence([arrival(1), arrival(2)], noon - 3), 3) == 3.1
