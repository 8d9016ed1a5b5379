"""What becomes of a row, and until when that holds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from beatd.catalog import Stored
from beatd.definition import entry_from
from beatd.engine.moves import Mover
from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.ledger import OpenClaim, Request
from beatd.may_still_run import holds_until
from beatd.planning import first, shared_next_after
from beatd.run import Occurrence, Skip, task_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALWAYS = "9999999d"  # longer than the calendar


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        ({}, 10),
        ({"catch_up_window": "3s"}, 3),
        ({"catch_up": "skip", "grace": "4s"}, 4),
        ({"catch_up_window": "1h"}, 10),
        ({"catch_up_window": ALWAYS}, 10),
        ({"catch_up": "skip", "grace": ALWAYS}, 10),
    ],
)
def test_what_was_settled_ahead_holds_until_the_rule_or_the_next_moment(
    rule: dict[str, str], seconds: int
) -> None:
    entry = entry_from("a", {"task": "t", "every": "10s", **rule})
    plan = first(entry, NOON)
    assert plan.due is not None
    row = Stored(entry, 1, False, plan, 0, None)
    move = Mover(UUID(int=0), shared_next_after()).due(row, plan.due)
    assert holds_until(row, move) == plan.due + timedelta(seconds=seconds)


def test_a_run_asked_for_by_hand_needs_no_next_moment() -> None:
    """The search for it may be given up, and the request is done all the same."""
    entry = entry_from("a", {"task": "t", "every": "10s", "options": {"expires": "next"}})
    row = Stored(entry, 1, False, first(entry, NOON), 0, None)

    def fails(schedule: Schedule, moment: datetime) -> datetime | None:
        raise ScheduleError("its next moment is not found")

    (move,) = Mover(UUID(int=0), fails).of_request(
        Request("id", "a", "trigger", NOON, NOON, 1), row, NOON, 10
    )
    assert move.run is not None and move.run.expires is None
    with pytest.raises(ScheduleError):
        Mover(UUID(int=0), fails).due(row, NOON + timedelta(seconds=10))


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"catch_up": "latest"}, "missed; only the latest was run (no broker)"),
        ({"catch_up": "all", "catch_up_window": "1m"}, "too old (no broker)"),
        ({"catch_up": "skip", "grace": "1m"}, "late by 3600.000 s, grace is 60 s (no broker)"),
        ({"catch_up": "skip", "grace": "1m", "enabled": False}, "disabled"),
    ],
)
def test_a_claim_that_is_too_late_is_closed_with_the_cause_of_the_outage(
    rule: dict[str, object], reason: str
) -> None:
    entry = entry_from("a", {"task": "t", "every": "10m", **rule})
    row = Stored(entry, 1, False, first(entry, NOON), 0, None)
    claim = OpenClaim(Occurrence("a", NOON), "id", NOON, NOON, 1, True, row)
    mover = Mover(UUID(int=0), shared_next_after(), lambda skip: "no broker")
    move = mover.of_claim(claim, unsent=True, now=NOON + timedelta(hours=1))
    assert move is not None and move.run is None
    assert [skip.reason for skip in move.skips] == [reason]


def late_row(now_s: int = 35, **fields: object) -> tuple[Stored, datetime]:
    """An entry planned each ten seconds from 12:00:10, and a moment after 12:00."""
    entry = entry_from("a", {"task": "t", "every": "10s", **fields})
    return Stored(entry, 3, False, first(entry, NOON), 0, None), NOON + timedelta(seconds=now_s)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def backlog(first_s: int, last_s: int) -> Request:
    return Request("id", "a", "backlog", at(first_s), at(last_s), 3)


MOVER = Mover(UUID(int=0), shared_next_after())


def test_a_plain_run_counts_once_and_revokes_nothing() -> None:
    row, now = late_row(10)
    move = MOVER.due(row, now)
    assert (move.revision, move.counts, move.revokes, move.running) == (3, 1, "", None)
    assert move.run is not None and (move.run.origin, move.run.expires) == ("planned", None)


def test_a_backlog_has_another_id_than_the_runs_in_it() -> None:
    row, now = late_row(catch_up="all", catch_up_max=9)
    move = MOVER.due(row, now)
    assert move.backlog is not None and move.run is None and move.counts == 0
    assert (move.backlog.first, move.backlog.last) == (at(10), at(30))
    assert move.backlog.id != task_id(UUID(int=0), Occurrence("a", at(10)))


def test_a_run_that_expires_with_the_next_one_expires_after_now() -> None:
    row, now = late_row(options={"expires": "next"})
    on_time = MOVER.due(row, at(10)).run
    assert on_time is not None and on_time.expires == at(20)
    (move, *_) = MOVER.of_request(Request("id", "a", "backfill", at(0), at(20), 3), row, now, 1)
    assert move.run is not None and move.run.expires == at(40)


def test_a_run_that_expires_after_a_time_has_no_moment_to_expire() -> None:
    row, now = late_row(options={"expires": 5})
    run = MOVER.due(row, now).run
    assert run is not None and run.expires is None


def test_a_backlog_ends_with_the_last_run_that_the_entry_has() -> None:
    row, now = late_row(catch_up="all", catch_up_max=9, max_runs=2)
    moves = list(MOVER.of_request(backlog(10, 30), row, now, 10))
    assert [move.counts for move in moves] == [1, 1, 0]
    for move in moves[:2]:
        assert move.run is not None
        assert (move.run.origin, move.run.occurrence.request, move.revision) == ("catch-up", "", 3)
    assert [skip.reason for skip in moves[2].skips] == ["max_runs reached"]


def test_a_moment_of_a_backlog_that_is_too_old_is_skipped_alone() -> None:
    row, now = late_row(catch_up="all", catch_up_window="20s")
    first_move, second, *_ = MOVER.of_request(backlog(10, 30), row, now, 10)
    assert (first_move.run, first_move.first, first_move.counts) == (None, at(20), 0)
    assert first_move.skips == (Skip(at(10), at(10), 1, "too old"),)
    assert second.run is not None and second.run.occurrence.planned == at(20)


def test_a_request_of_an_entry_that_was_removed_is_closed() -> None:
    (move,) = MOVER.of_request(backlog(10, 30), None, at(35), 10)
    assert (move.run, move.first, move.revision) == (None, None, 0)
    assert move.skips == (Skip(at(10), at(30), 1, "removed", at_least=True),)


def test_a_claim_of_an_entry_that_was_removed_is_closed() -> None:
    claim = OpenClaim(Occurrence("a", at(10)), "id", at(10), at(10), 1, True, None)
    move = MOVER.of_claim(claim, unsent=True, now=at(35))
    assert move is not None and (move.run, move.revision) == (None, 0)
    assert move.skips == (Skip(at(10), at(10), 1, "removed"),)


def test_a_run_that_is_sent_again_is_due_as_before_an_edit_of_the_jitter() -> None:
    row, now = late_row(now_s=11, jitter="8s", on_unknown="resend")
    claim = OpenClaim(Occurrence("a", at(10)), "id", at(10), at(10), 1, True, row)
    move = MOVER.of_claim(claim, unsent=True, now=now)
    assert move is not None and move.run is not None
    assert (move.run.due, move.run.origin) == (at(10), "resend")


@pytest.mark.parametrize(("request_id", "origin"), [("", "planned"), ("id", "trigger")])
def test_a_run_that_a_worker_reported_keeps_its_origin(request_id: str, origin: str) -> None:
    row, now = late_row()
    claim = OpenClaim(Occurrence("a", at(10), request_id), "id", at(11), at(10), 1, False, row)
    result = MOVER.arrived(claim, row, now)
    assert (result.run.origin, result.run.due, result.outcome.sent) == (
        origin, claim.due, "confirmed",
    )  # fmt: skip
