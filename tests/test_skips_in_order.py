"""The history as a table: each skip at its place, and one outage is one line."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.history import Record
from beatd.skips_in_order import READ_AHEAD, skips_in_order

MISSED = "missed; only the latest was run (nobody led)"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def published(second: int, entry: str = "a", **more: Any) -> Record:
    return Record(entry, at(second), "published", **more)


def skipped(first: int, last: int, count: int = 1, reason: str = MISSED, **more: Any) -> Record:
    stretch = {} if count == 1 else {"until": at(last), "count": count}
    return Record("a", at(first), "skipped", reason, **stretch, **more)


def in_order(records: Sequence[Record]) -> list[Record]:
    return [record for record, _ in skips_in_order((record, None) for record in records)]


def test_the_skip_of_an_old_claim_joins_the_others_of_its_outage() -> None:
    written_last_first = [
        skipped(4, 4),
        published(26),
        published(25, "b"),
        published(24),
        skipped(6, 22, 9),
        published(2),
    ]
    assert in_order(written_last_first) == [
        published(26),
        published(25, "b"),
        published(24),
        skipped(4, 22, 10),
        published(2),
    ]


def test_a_skip_for_another_reason_keeps_its_own_line() -> None:
    away = "missed; only the latest was run (the broker was away)"
    rows = [skipped(4, 4, reason=away), published(24), skipped(6, 22, 9)]
    assert in_order(rows) == [rows[1], rows[2], rows[0]]


def test_skips_that_were_late_by_other_seconds_are_one_stretch() -> None:
    late = "late by {} s, grace is 1 s (nobody led)"
    rows = [
        skipped(4, 4, reason=late.format("20.5")),
        published(24),
        skipped(6, 22, 9, reason=late.format("2.5")),
    ]
    assert in_order(rows) == [published(24), skipped(4, 22, 10, reason=late.format("2.5"))]
    other = late.replace("nobody led", "the store was away").format("20.5")
    apart = [published(24), rows[2], skipped(4, 4, reason=other)]
    assert in_order(apart) == apart


def test_only_missed_runs_are_joined_and_only_without_a_run_between_them() -> None:
    paused = [skipped(6, 6, reason="paused"), skipped(4, 4, reason="paused")]
    assert in_order(paused) == paused
    apart = [skipped(8, 8), published(6), skipped(4, 4)]
    assert in_order(apart) == apart


def test_a_run_by_hand_does_not_divide_a_stretch() -> None:
    by_hand = published(5, origin="trigger")
    rows = [skipped(4, 4), published(24), skipped(6, 22, 9), by_hand, published(2)]
    assert in_order(rows) == [published(24), skipped(4, 22, 10), by_hand, published(2)]


def test_a_count_that_is_a_lower_bound_stays_one() -> None:
    rows = [skipped(6, 8, 2), skipped(2, 4, 2, at_least=True)]
    assert in_order(rows) == [skipped(2, 8, 4, at_least=True)]


def test_published_runs_stay_in_the_order_of_their_publishing() -> None:
    backlog = [published(2), published(30), skipped(1, 1, reason="too old")]
    assert in_order(backlog) == backlog


@pytest.mark.parametrize("before", [READ_AHEAD - 2, READ_AHEAD - 1, 2 * READ_AHEAD - 1])
def test_a_stretch_is_whole_wherever_a_read_ends(before: int) -> None:
    newer = [published(second, "b") for second in range(1000 + before, 1000, -1)]
    rows = [*newer, skipped(4, 4), published(24), skipped(6, 22, 9), published(2)]
    assert in_order(rows) == [*newer, published(24), skipped(4, 22, 10), published(2)]
