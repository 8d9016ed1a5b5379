"""Why a run that was claimed or requested before may no longer be sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.definition import entry_from
from beatd.ledger import OpenClaim, Request
from beatd.may_still_run import why_at_an_end, why_not
from beatd.planning import first, next_of
from beatd.run import Occurrence, Running

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATE = "missed; only the latest was run"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(*, paused: bool = False, runs: int = 0, **plain: Any) -> Stored:
    entry = entry_from("a", {"task": "t", "every": "10s", **plain})
    return Stored(entry, 1, paused, first(entry, NOON), runs, None)


@pytest.mark.parametrize(
    ("stored", "unsent", "request_id", "now_s", "reason"),
    [
        (None, True, "", 0, "removed"),
        (None, True, "id", 0, "removed"),
        (row(), True, "", 0, ""),
        (row(paused=True), True, "", 0, "paused"),
        (row(paused=True), True, "id", 0, ""),
        (row(enabled=False), True, "", 0, "disabled"),
        (row(enabled=False), True, "id", 0, ""),
        (row(end=at(-1).isoformat()), True, "", 0, "ended"),
        (row(end=NOON.isoformat()), True, "", 0, ""),
        (row(end=at(1).isoformat()), True, "", 0, ""),
        (row(on_unknown="skip"), False, "", 0, "unknown"),
        (row(on_unknown="skip"), True, "", 0, ""),
        (row(on_unknown="skip"), False, "id", 0, "unknown"),
        (row(on_unknown="skip"), True, "id", 0, ""),
        (row(), False, "", 0, ""),
        (row(), True, "", 9.9, ""),
        (row(), True, "", 10, LATE),
        (row(), False, "", 10, ""),  # it may be out, and is sent again under its own id
        (row(catch_up="all", catch_up_max=9), True, "", 10, ""),
        (row(catch_up_window="5s"), False, "", 5, ""),
        (row(catch_up_window="5s"), False, "", 5.1, "too old"),
        (row(max_runs=1), True, "", 0, ""),
    ],
)
def test_a_claim_is_sent_again_unless_there_is_a_reason(
    stored: Stored | None, unsent: bool, request_id: str, now_s: float, reason: str
) -> None:
    claim = OpenClaim(Occurrence("a", NOON, request_id), "id", NOON, NOON, 1, unsent, stored)
    assert why_not(claim, unsent, at(now_s), next_of) == reason


@pytest.mark.parametrize(("running", "reason"), [("id", ""), ("other", LATE)])
def test_a_claim_that_counts_as_running_is_not_missed(running: str, reason: str) -> None:
    stored = replace(row(overlap="skip", max_run="1h"), running=Running(running, NOON, at(3600)))
    claim = OpenClaim(Occurrence("a", NOON), "id", NOON, NOON, 1, True, stored)
    assert why_not(claim, True, at(10), next_of) == reason


@pytest.mark.parametrize(
    ("kind", "stored", "reason"),
    [
        ("trigger", None, "removed"),
        ("trigger", row(paused=True, enabled=False), ""),
        ("backfill", row(paused=True, enabled=False, max_runs=1, runs=1), ""),
        ("backlog", row(), ""),
        ("backlog", row(paused=True), "paused"),
        ("backlog", row(enabled=False), "disabled"),
        ("backlog", row(max_runs=2, runs=1), ""),
        ("backlog", row(max_runs=2, runs=2), "max_runs reached"),
        ("backlog", row(max_runs=2, runs=3), "max_runs reached"),
    ],
)
def test_only_a_backlog_ends_with_what_keeps_the_plan_from_running(
    kind: Any, stored: Stored | None, reason: str
) -> None:
    assert why_at_an_end(Request("id", "a", kind, NOON, NOON, 1), stored) == reason
