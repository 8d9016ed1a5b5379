"""The judging itself, before anybody believes a verdict of it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.arrivals import Arrival
from tests.chaos.entries import Rule
from tests.chaos.faults import Fault, schedule, usual
from tests.chaos.verdict import (
    EARLY,
    IDLE_SKIP,
    MISSING,
    NOT_BACK,
    OTHER_ID,
    SAME_ID,
    UNTOLD,
    Record,
    Struck,
    Verdict,
    judge,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAULT = Fault(kind="kill", target="redis", lasts_s=1, offset_s=0)
LATE_S = 0.005
RULE = Rule("e", 1, "every: 1s", "all")
MOMENTS = range(10)  # seconds after noon


def arrival(second: int, task_id: str = "", late_s: float = LATE_S) -> Arrival:
    planned = NOON + timedelta(seconds=second)
    at = planned.timestamp() + late_s
    return Arrival(at, "host", planned, task_id or f"id-{second}", "e")


def record(second: int, state: str = "published", reason: str = "", until: int = -1) -> Record:
    end = None if until < 0 else NOON + timedelta(seconds=until)
    return Record("e", NOON + timedelta(seconds=second), state, reason, until=end)


def struck(first: float, last: float | None) -> Struck:
    """A fault from one second to another one."""
    noon = NOON.timestamp()
    return Struck(FAULT, noon + first, noon + first, None if last is None else noon + last)


def verdict(
    arrivals: list[Arrival],
    records: list[Record],
    faults: list[Struck],
    *,
    catch_up: str = "all",
    on_unknown: str = "resend",
    atomic: bool = False,
    forgets: bool = False,
) -> Verdict:
    rule = Rule("e", 1, "every: 1s", catch_up, on_unknown=on_unknown)
    until = NOON.timestamp() + MOMENTS[-1] + 0.5
    return judge([rule], arrivals, records, faults, until, atomic=atomic, forgets=forgets)


def all_but(*left_out: int) -> tuple[list[Arrival], list[Record]]:
    seconds = [second for second in MOMENTS if second not in left_out]
    return [arrival(n) for n in seconds], [record(n) for n in seconds]


def kinds(found: Verdict) -> list[tuple[str, int]]:
    return [
        (one.kind, round((one.planned - NOON).total_seconds()) if one.planned else -1)
        for one in found.violations
    ]


def test_a_day_without_trouble_breaks_no_promise() -> None:
    found = verdict(*all_but(), [])
    assert (found.occurrences, found.messages, found.violations) == (10, 10, [])
    assert found.late_ms == pytest.approx((5, 5), abs=0.01)


def test_a_moment_without_a_message_or_a_reason_is_missing() -> None:
    arrivals, records = all_but(3, 4, 5)
    told = [record(4), record(5, "skipped", "")]
    assert kinds(verdict(arrivals, records + told, [])) == [(MISSING, n) for n in (3, 4, 5)]


def test_the_last_moments_are_missed_too() -> None:
    assert kinds(verdict(*all_but(9), [])) == [(MISSING, 9)]


def test_a_moment_that_failed_with_a_reason_is_not_missing() -> None:
    arrivals, records = all_but(3)
    found = verdict(arrivals, [*records, record(3, "failed", "too large")], [])
    assert (found.violations, found.failed) == ([], Counter({"too large": 1}))
    assert found.not_run == [NOON.timestamp() + 3]


@pytest.mark.parametrize(
    ("catch_up", "on_unknown", "reason", "faults", "kind"),
    [
        ("latest", "resend", "missed; only the latest was run", [struck(3, 6)], ""),
        ("latest", "resend", "missed; only the latest was run", [], IDLE_SKIP),
        ("skip", "resend", "late", [struck(0, 2)], IDLE_SKIP),
        ("all", "resend", "missed; only the latest was run", [struck(3, 6)], MISSING),
        ("all", "resend", "unknown", [struck(3, 6)], MISSING),
        ("all", "skip", "missed; only the latest was run", [struck(3, 6)], MISSING),
        ("all", "skip", "unknown", [struck(3, 6)], ""),
    ],
)
def test_a_skipped_stretch_is_right_or_wrong_by_the_rules_of_the_entry(
    catch_up: str, on_unknown: str, reason: str, faults: list[Struck], kind: str
) -> None:
    arrivals, records = all_but(4, 5)
    skipped = record(4, "skipped", reason, until=5)
    found = verdict(arrivals, [*records, skipped], faults, catch_up=catch_up, on_unknown=on_unknown)
    assert kinds(found) == ([(kind, 4), (kind, 5)] if kind else [])
    assert found.skipped == Counter({reason: 2})


def test_a_message_before_its_moment_is_early_by_however_little() -> None:
    arrivals, records = all_but(3)
    found = verdict([*arrivals, arrival(3, late_s=-0.00001)], [*records, record(3)], [])
    assert kinds(found) == [(EARLY, 3)]
    assert found.earliest_ms == pytest.approx(0.01, abs=0.001)


def test_a_message_that_the_history_does_not_know_is_told() -> None:
    arrivals, records = all_but(3)
    assert kinds(verdict([*arrivals, arrival(3)], records, [])) == [(UNTOLD, 3)]


def test_another_id_is_never_allowed_and_the_same_id_only_where_an_outcome_can_be_unknown() -> None:
    arrivals, records = all_but()
    other = [*arrivals, arrival(3, "another", late_s=1)]
    again = [*arrivals, arrival(3, late_s=1)]
    assert kinds(verdict(other, records, [])) == [(OTHER_ID, 3)]
    assert kinds(verdict(again, records, [])) == []
    assert verdict(again, records, []).same_id == 1
    assert kinds(verdict(again, records, [], on_unknown="skip")) == [(SAME_ID, 3)]
    assert kinds(verdict(again, records, [], atomic=True)) == [(SAME_ID, 3)]
    assert kinds(verdict(again, records, [], on_unknown="skip", forgets=True)) == []
    assert kinds(verdict(other, records, [], forgets=True)) == [(OTHER_ID, 3)]


def test_a_fault_that_is_never_over_is_told() -> None:
    assert kinds(verdict(*all_but(), [struck(3, None)])) == [(NOT_BACK, -1)]


def test_the_gap_after_a_fault_and_the_lateness_without_one_are_apart() -> None:
    arrivals, records = all_but(4, 5)
    caught_up = [arrival(n, late_s=7 - n) for n in (4, 5)]
    found = verdict([*arrivals, *caught_up], [*records, record(4), record(5)], [struck(3.5, 6.5)])
    assert found.gap_s == {"kill redis": pytest.approx(2.505)}
    assert found.late_ms == pytest.approx((5, 5), abs=0.01)


def test_faults_are_drawn_from_the_seed_half_of_them_at_a_whole_second() -> None:
    servers = ["postgresql", "redis"]
    kinds = usual(servers, file=True)
    faults = schedule("7", 50, kinds)
    assert faults == schedule("7", 50, kinds) != schedule("8", 50, kinds)
    assert sum(fault.at_second for fault in faults) == 25
    # Each kind on each target comes about as often: of the seventeen, at least twice.
    times = Counter((fault.kind, fault.target) for fault in faults)
    assert len(times) == 17 and min(times.values()) >= 2
