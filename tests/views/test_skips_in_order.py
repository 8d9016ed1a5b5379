"""The history as a table: each skip at its place, and one outage is one line."""

from typing import Any

from beatd.views.skips_in_order import skips_in_order

MISSED = "missed; only the latest was run (nobody led)"


def at(second: int) -> str:
    return f"2026-03-01T12:00:{second:02}Z"


def published(second: int, entry: str = "a") -> dict[str, Any]:
    return {"entry": entry, "planned": at(second), "state": "published", "reason": ""}


def skipped(
    first: int, last: int, count: int = 1, reason: str = MISSED, **more: Any
) -> dict[str, Any]:
    stretch = {} if count == 1 else {"until": at(last), "count": count}
    skip = {"entry": "a", "planned": at(first), "state": "skipped", "reason": reason}
    return {**skip, **stretch, **more}


def test_the_skip_of_an_old_claim_joins_the_others_of_its_outage() -> None:
    written_last_first = [
        skipped(4, 4),
        published(26),
        published(25, "b"),
        published(24),
        skipped(6, 22, 9),
        published(2),
    ]
    assert skips_in_order(written_last_first) == [
        published(26),
        published(25, "b"),
        published(24),
        skipped(4, 22, 10),
        published(2),
    ]


def test_a_skip_for_another_reason_keeps_its_own_line() -> None:
    away = "missed; only the latest was run (the broker was away)"
    rows = [skipped(4, 4, reason=away), published(24), skipped(6, 22, 9)]
    assert skips_in_order(rows) == [rows[1], rows[2], rows[0]]


def test_only_missed_runs_are_joined_and_only_without_a_run_between_them() -> None:
    paused = [skipped(6, 6, reason="paused"), skipped(4, 4, reason="paused")]
    assert skips_in_order(paused) == paused
    apart = [skipped(8, 8), published(6), skipped(4, 4)]
    assert skips_in_order(apart) == apart


def test_a_count_that_is_a_lower_bound_stays_one() -> None:
    rows = [skipped(6, 8, 2), skipped(2, 4, 2, at_least=True)]
    assert skips_in_order(rows) == [skipped(2, 8, 4, at_least=True)]


def test_published_runs_stay_in_the_order_of_their_publishing() -> None:
    backlog = [published(2), published(30), skipped(1, 1, reason="too old")]
    assert skips_in_order(backlog) == backlog
