"""Pairs of what was planned and what was sent, and what is left over."""

from celery.utils.saferepr import saferepr

from beatd.shadow.tally import Tally, args_text

KEY = ("proj.t", "", "{}")
START = 1_000_000.0


def tally() -> Tally:
    made = Tally(START - 10_000)
    made.add_name(KEY, "t")
    return made


def settled(made: Tally) -> dict[str, int]:
    made.settle(START + 1_000_000)
    return {key: count for key, count in made.totals().items() if count}


def test_a_message_at_its_moment_agrees() -> None:
    made = tally()
    for minute in range(3):
        made.add_plan(KEY, "t", START + 60 * minute, None)
        made.add_message(KEY, START + 60 * minute + 0.7)
    assert settled(made) == {"agreed": 3}
    assert made.figures["t"].apart == 0.7


def test_nothing_is_judged_before_its_time() -> None:
    made = tally()
    made.add_plan(KEY, "t", START, None)
    made.settle(START + 30)
    assert not any(made.totals().values())


def test_a_moment_without_a_message_is_missed() -> None:
    made = tally()
    made.add_plan(KEY, "t", START, None)
    made.add_plan(KEY, "t", START + 3600, None)
    made.add_message(KEY, START + 3600)
    assert settled(made) == {"agreed": 1, "missed": 1}
    assert "missed" in made.figures["t"].examples[0]


def test_two_beats_double() -> None:
    made = tally()
    made.add_plan(KEY, "t", START, None)
    made.add_message(KEY, START + 0.2)
    made.add_message(KEY, START + 0.9)
    assert settled(made) == {"agreed": 1, "doubled": 1}


def test_a_message_half_a_minute_off_is_at_another_time() -> None:
    made = tally()
    made.add_plan(KEY, "t", START, None)
    made.add_message(KEY, START + 30)
    assert settled(made) == {"other_time": 1}


def test_a_message_that_nobody_planned_is_told() -> None:
    made = tally()
    made.add_plan(KEY, "t", START, None)
    made.add_message(KEY, START)
    made.add_message(KEY, START + 7200)
    assert settled(made) == {"agreed": 1, "unplanned": 1}


def test_an_interval_of_another_phase_is_at_another_time_and_not_missed() -> None:
    made = tally()
    for step in range(10):
        made.add_plan(KEY, "t", START + 30 * step, 30)
        made.add_message(KEY, START + 30 * step + 11)
    assert settled(made) == {"other_time": 10}
    assert made.figures["t"].apart == 11


def test_messages_of_tasks_that_no_entry_sends_are_left_out() -> None:
    made = tally()
    made.add_message(("web.request", "", "{}"), START)
    assert settled(made) == {}


def test_what_was_open_while_nobody_listened_is_not_judged() -> None:
    made = tally()
    made.add_plan(KEY, "t", START, None)
    made.start_over(START + 10)
    made.add_plan(KEY, "t", START + 20, None)
    made.add_plan(KEY, "t", START + 80, None)
    assert settled(made) == {"missed": 1}


def test_arguments_look_alike_as_list_and_as_tuple() -> None:
    for args in ((), (1,), (1, "x"), ([1], {"a": 2})):
        assert args_text(saferepr(args)) == args_text(saferepr(list(args)))
    assert args_text(None) == args_text("()") == ""
