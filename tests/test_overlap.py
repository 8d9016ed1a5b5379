"""What a due moment does while an earlier run of its entry has not ended."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from beatd.catalog import Plan, Stored
from beatd.definition import entry_from
from beatd.engine.moves import Mover
from beatd.ledger import Move, OpenClaim, Request, RunningChange
from beatd.overlap import reason_text, turn_of_request
from beatd.planning import LAST_MOMENT, MISSED, USED_UP, first, shared_next_after
from beatd.run import Occurrence, Running, task_id
from beatd.views.time_text import moment_text

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMESPACE = UUID(int=0)
STILL = "still running: other since 2026-03-01T11:59:00+00:00"


def test_a_reason_has_its_time_as_the_reader_sees_times() -> None:
    def shown(moment: datetime) -> str:
        return moment_text(moment, "Europe/Berlin")

    assert reason_text(STILL, shown) == "still running: other since 2026-03-01 12:59:00 CET"
    old = f"{STILL} (nobody led)"  # as an older beatd wrote it
    assert reason_text(old, shown) == (
        "still running: other since 2026-03-01 12:59:00 CET (nobody led)"
    )
    for reason in ("still running", "still running: other since 2026-99", "bad 2026-03-01T11:59Z"):
        assert reason_text(reason, shown) == reason


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(
    running_until: float | None = None, waits_since: float | None = None, **plain: Any
) -> Stored:
    """An entry of every ten seconds that is due at noon, or waits since `waits_since`."""
    entry = entry_from(
        "a", {"task": "t", "every": "10s", "max_run": "1h", "overlap": "skip", **plain}
    )
    plan = first(entry, at(-1))
    running = None
    if running_until is not None:
        running = Running("other", at(-60), at(running_until), waits_since is not None)
    if waits_since is not None:
        due = running_until if running_until is not None else waits_since
        plan = replace(plan, due=at(due))
    return Stored(entry, 1, False, plan, 0, None, running)


def due(stored: Stored, now: datetime = NOON) -> Move:
    return Mover(NAMESPACE, shared_next_after()).due(stored, now)


def planned(move: Move) -> datetime | None:
    return None if move.run is None else move.run.occurrence.planned


def skipped(move: Move) -> list[tuple[datetime, datetime, int, str]]:
    return [(skip.planned, skip.until, skip.count, skip.reason) for skip in move.skips]


# nothing is running


@pytest.mark.parametrize("rule", ["skip", "queue", "replace"])
def test_the_run_is_claimed_as_the_running_one_for_max_run(rule: str) -> None:
    move = due(row(overlap=rule))
    assert planned(move) == NOON
    assert move.running == RunningChange(seen="", until=at(3600))


def test_a_run_of_which_nobody_reports_anything_is_replaced_after_max_run() -> None:
    move = due(row(running_until=0))
    assert planned(move) == NOON
    assert move.running == RunningChange(seen="other", is_over=True, until=at(3600))


def test_max_run_may_be_longer_than_the_calendar() -> None:
    move = due(row(max_run="9999999d"))
    assert move.running == RunningChange(until=LAST_MOMENT)


@pytest.mark.parametrize("missing", [None, timedelta(0), timedelta(hours=-1)])
def test_without_a_usable_max_run_a_silent_run_counts_for_a_day(missing: timedelta | None) -> None:
    stored = row()
    move = due(replace(stored, entry=replace(stored.entry, max_run=missing)))
    assert move.running == RunningChange(until=at(86400))


def test_entries_that_allow_overlap_have_no_condition() -> None:
    stored = row(overlap="allow")
    assert due(stored).running is None


# skip


def test_skip_skips_the_moment_and_says_what_is_running() -> None:
    move = due(row(running_until=60))
    assert (planned(move), skipped(move)) == (None, [(NOON, NOON, 1, STILL)])
    assert move.running == RunningChange(seen="other")
    assert move.plan is not None and move.plan.due == at(10) and move.counts == 0


def test_skip_skips_all_that_was_missed_as_one_stretch() -> None:
    move = due(row(running_until=60), at(35))
    assert skipped(move) == [(NOON, at(30), 4, STILL)]


def test_a_skipped_moment_is_not_one_of_max_runs() -> None:
    move = due(row(running_until=60, max_runs=1))
    assert move.plan is not None and move.plan.due == at(10)


# queue


def test_queue_lets_the_moment_wait_for_the_end() -> None:
    move = due(row(running_until=60, overlap="queue"))
    assert move.run is None and move.skips == () and move.revokes == ""
    assert move.running == RunningChange(seen="other", until=at(60))
    assert move.plan is not None and (move.plan.planned, move.plan.due) == (NOON, at(60))


def test_of_several_missed_moments_the_newest_waits() -> None:
    move = due(row(running_until=60, overlap="queue"), at(35))
    assert skipped(move) == [(NOON, at(20), 3, MISSED)]
    assert move.plan is not None and (move.plan.planned, move.plan.due) == (at(30), at(60))


@pytest.mark.parametrize(
    "plain",
    [{}, {"catch_up": "skip", "grace": "1s"}, {"catch_up_window": "2s"}],
    ids=["latest", "skip", "window"],
)
def test_after_the_wait_the_newest_moment_runs_whatever_catch_up_says(
    plain: dict[str, Any],
) -> None:
    move = due(row(waits_since=35, overlap="queue", **plain), at(35))
    assert planned(move) == at(30) and move.run is not None
    assert skipped(move) == [(NOON, at(20), 3, "still running")]
    assert (move.run.origin, move.run.due) == ("planned", at(35))
    assert move.running == RunningChange(seen="", until=at(35 + 3600))


def test_a_moment_that_waited_alone_runs() -> None:
    move = due(row(waits_since=5, overlap="queue", catch_up="skip", grace="1s"), at(5))
    assert (planned(move), move.skips) == (NOON, ())


def test_after_a_wait_that_nobody_ended_the_silent_run_is_named() -> None:
    move = due(row(running_until=15, waits_since=0, overlap="queue"), at(15))
    assert planned(move) == at(10)
    assert skipped(move) == [(NOON, NOON, 1, STILL)]
    assert move.running == RunningChange(seen="other", is_over=True, until=at(15 + 3600))


def test_with_all_the_moments_of_the_wait_are_a_backlog() -> None:
    move = due(row(waits_since=35, overlap="queue", catch_up="all", catch_up_max=9), at(35))
    assert move.backlog is not None and (move.backlog.first, move.backlog.last) == (NOON, at(30))
    assert move.run is None and move.skips == ()


def test_a_wait_that_was_prolonged_goes_on_with_the_newest_moment() -> None:
    stored = row(running_until=60, waits_since=0, overlap="queue")
    move = due(replace(stored, plan=replace(stored.plan, due=at(20))), at(25))
    assert skipped(move) == [(NOON, at(10), 2, STILL)]
    assert move.plan is not None and (move.plan.planned, move.plan.due) == (at(20), at(60))


def test_what_the_catch_up_rule_skips_does_not_wait() -> None:
    move = due(row(running_until=60, overlap="queue", catch_up="skip", grace="1s"), at(5))
    assert [skip.reason for skip in move.skips] == ["late by 5.000 s, grace is 1 s"]
    assert move.plan is not None and move.plan.due == at(10) and move.running is None


def test_a_plan_that_moves_on_without_a_run_waits_for_no_silent_run() -> None:
    stored = row(running_until=15, waits_since=0, overlap="queue", max_runs=1)
    move = due(replace(stored, runs=1), at(15))
    assert [skip.reason for skip in move.skips] == [USED_UP]
    assert move.running == RunningChange(seen="other", is_over=True, ends=True)


def test_a_plan_that_moves_on_to_a_backlog_while_the_run_goes_on_waits_no_longer() -> None:
    stored = row(running_until=60, waits_since=0, overlap="queue", catch_up="all", catch_up_max=9)
    move = due(replace(stored, plan=replace(stored.plan, due=at(20))), at(25))
    assert move.backlog is not None and (move.backlog.first, move.backlog.last) == (NOON, at(20))
    assert move.plan is not None and (move.plan.planned, move.plan.due) == (at(30), at(30))
    assert move.run is None and move.running == RunningChange(seen="other")


def test_a_plan_that_an_edit_replaced_while_it_waited_is_not_early() -> None:
    stored = row(overlap="queue")
    early = Plan(at(10), NOON, stored.plan.fingerprint, stored.plan.rules)
    move = due(replace(stored, plan=early))
    assert move.run is None and move.skips == () and move.counts == 0
    assert move.plan is not None and (move.plan.planned, move.plan.due) == (at(10), at(10))


# replace


def test_replace_revokes_the_running_run_and_decides_again_after_ten_seconds() -> None:
    move = due(row(running_until=60, overlap="replace"))
    assert (move.run, move.revokes) == (None, "other")
    assert move.running == RunningChange(seen="other", until=at(60))
    assert move.plan is not None and (move.plan.planned, move.plan.due) == (NOON, at(10))


def test_replace_waits_no_longer_than_the_run_counts_as_running() -> None:
    move = due(row(running_until=3, overlap="replace"))
    assert move.running == RunningChange(seen="other", until=at(3))
    assert move.plan is not None and move.plan.due == at(3)


# where a run comes from


def test_a_missed_moment_that_runs_late_is_a_catch_up() -> None:
    move = due(row(overlap="allow"), at(15))
    assert move.run is not None and move.run.origin == "catch-up"
    on_time = due(row(overlap="allow"))
    assert on_time.run is not None and on_time.run.origin == "planned"


# requests


def asked(kind: Any, stored: Stored, count: int = 1) -> list[Move]:
    request = Request("id", "a", kind, NOON, at(10 * (count - 1)), 1)
    if stored.plan.due == NOON:  # the plan has moved on since
        stored = replace(stored, plan=replace(stored.plan, planned=at(30), due=at(30)))
    return list(Mover(NAMESPACE, shared_next_after()).of_request(request, stored, at(20), 10))


@pytest.mark.parametrize("kind", ["trigger", "backfill", "backlog"])
@pytest.mark.parametrize("rule", ["skip", "queue", "replace"])
def test_a_request_runs_one_moment_at_a_time(rule: str, kind: str) -> None:
    (move,) = asked(kind, row(overlap=rule), 3 if kind != "trigger" else 1)
    assert move.run is not None and move.running == RunningChange(until=at(20 + 3600))
    assert move.run.origin == ("catch-up" if kind == "backlog" else kind)


def test_a_trigger_follows_the_rule() -> None:
    (move,) = asked("trigger", row(running_until=60))
    assert (skipped(move), move.first) == ([(NOON, NOON, 1, STILL)], None)
    assert asked("trigger", row(running_until=60, overlap="queue")) == []
    (move,) = asked("trigger", row(running_until=60, overlap="replace"))
    assert (move.revokes, move.first, move.skips, move.run) == ("other", NOON, (), None)
    assert move.running == RunningChange(seen="other", until=at(60))


@pytest.mark.parametrize("kind", ["backfill", "backlog"])
@pytest.mark.parametrize("rule", ["skip", "queue", "replace"])
def test_a_backfill_and_a_backlog_wait_their_turn(rule: str, kind: str) -> None:
    assert asked(kind, row(running_until=60, overlap=rule), 3) == []


@pytest.mark.parametrize("kind", ["trigger", "backfill", "backlog"])
def test_only_a_trigger_goes_before_a_moment_of_the_plan_that_waited(kind: str) -> None:
    assert len(asked(kind, row(waits_since=19, overlap="queue"))) == (kind == "trigger")


# open claims


def again(stored: Stored, *, unsent: bool = True, now: datetime = NOON) -> Move | None:
    occurrence = Occurrence("a", NOON)
    id = task_id(NAMESPACE, occurrence)
    claim = OpenClaim(occurrence, id, NOON, at(-5), 1, unsent, stored)
    return Mover(NAMESPACE, shared_next_after()).of_claim(claim, unsent, now)


def own(stored: Stored) -> Stored:
    id = task_id(NAMESPACE, Occurrence("a", NOON))
    return replace(stored, running=Running(id, NOON, at(3600)))


def test_a_run_that_is_sent_again_does_not_wait_for_itself() -> None:
    move = again(own(row()))
    assert move is not None and move.run is not None and move.run.origin == "resend"
    assert move.running == RunningChange(seen=move.run.task_id, until=at(3600))


def test_an_open_claim_waits_while_another_run_is_running() -> None:
    assert again(row(running_until=60)) is None
    move = again(row(running_until=0))
    assert move is not None and move.running is not None
    assert (move.running.seen, move.running.is_over) == ("other", True)


def test_a_claim_that_is_closed_unsent_ends_its_run() -> None:
    stored = own(row(enabled=False))
    move = again(stored)
    assert move is not None and move.run is None and stored.running is not None
    assert move.running == RunningChange(seen=stored.running.task_id, ends=True)


def test_a_claim_whose_message_may_be_out_goes_on_running() -> None:
    move = again(own(row(enabled=False)), unsent=False)
    assert move is not None and move.run is None and move.running is None


def test_an_unsent_claim_is_sent_though_newer_moments_were_skipped_for_it() -> None:
    move = again(own(row()), now=at(25))
    assert move is not None and move.run is not None


def test_a_claim_that_is_closed_unsent_does_not_end_another_run() -> None:
    move = again(row(running_until=60, enabled=False))
    assert move is not None and move.run is None and move.running is None


# at the edges


@pytest.mark.parametrize("kind", ["trigger", "backfill", "backlog"])
def test_only_a_trigger_goes_before_a_moment_of_the_plan_that_is_due_just_now(kind: str) -> None:
    request = Request("id", "a", kind, at(-20), at(-20), 1)  # type: ignore[arg-type]
    turn = turn_of_request(request, row(), NOON)
    assert (turn is not None) is (kind == "trigger")
    assert turn_of_request(request, row(), at(-0.001)) is not None


def test_a_skipped_moment_ends_the_silent_run_before_it() -> None:
    move = due(row(running_until=3, overlap="skip", catch_up="skip", grace="1s"), at(5))
    assert [skip.reason for skip in move.skips] == ["late by 5.000 s, grace is 1 s"]
    assert move.running == RunningChange(seen="other", is_over=True, ends=True)


def test_a_moment_that_waited_alone_is_not_too_old_for_its_window() -> None:
    move = due(row(waits_since=5, overlap="queue", catch_up="all", catch_up_window="2s"), at(5))
    assert (planned(move), move.skips, move.backlog) == (NOON, (), None)


@pytest.mark.parametrize(("max_runs", "following"), [(1, None), (2, at(10))])
def test_the_last_run_of_an_entry_may_have_waited(
    max_runs: int, following: datetime | None
) -> None:
    move = due(row(waits_since=5, overlap="queue", max_runs=max_runs), at(5))
    assert planned(move) == NOON and move.plan is not None
    assert move.plan.planned == following
