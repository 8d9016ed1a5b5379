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
from beatd.run import Occurrence

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
