"""Which incidents of an entry open and close, by tables with injected time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.alerts.judge import REJECTED, Facts, Finding, Publishing, Situation, closing_all, judge
from beatd.alerts.outages import Outage, time_away
from beatd.definition import entry_from
from beatd.entry import Alert
from beatd.incident import Incident, IncidentKind
from beatd.outcome import Delivery, EntryOutcome, OutcomeState

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=10)


def ago(**how: float) -> datetime:
    return NOW - timedelta(**how)


def rules(**alert: Any) -> Alert:
    entry = entry_from("a", {"task": "t", "every": "1h", "alert": alert})
    assert entry.alert is not None
    return entry.alert


def outcome(
    state: OutcomeState = "failed",
    *,
    at: datetime = NOW - timedelta(hours=1),
    failures: int = 0,
    successes: int = 0,
    last_success: datetime | None = None,
    first: datetime | None = LONG_AGO,
    started: datetime | None = None,
    error: str = "",
) -> EntryOutcome:
    newest = Delivery(
        task_id="id", delivery="d", name="a", planned=at, state=state, at=at, started=started,
        error=error, worker="w1",
    )  # fmt: skip
    return EntryOutcome(
        name="a",
        newest=newest,
        failures=failures,
        successes=successes,
        last_success=last_success,
        first=first,
    )


def opened(kind: IncidentKind, when: datetime, cause: str = "") -> dict[IncidentKind, Incident]:
    return {kind: Incident(kind=kind, name="a", opened=when, revision=1, cause=cause)}


def found(
    alert: dict[str, Any],
    *,
    open_now: dict[IncidentKind, Incident] | None = None,
    situation: Situation | None = None,
    **facts: Any,
) -> list[Finding]:
    given = {"name": "a", "alert": rules(**alert), "since": LONG_AGO, **facts}
    return judge(Facts(**given), open_now or {}, situation or Situation(now=NOW))


def kinds(findings: list[Finding]) -> list[tuple[str, bool]]:
    return [(one.kind, one.opens) for one in findings]


def test_what_is_not_written_is_not_judged() -> None:
    bad = outcome("started", failures=9, started=LONG_AGO)
    late = Publishing(rejected=3, planned=LONG_AGO, at=NOW)
    assert found({}, outcome=bad, publishing=late) == []


# failures and successes in a row


@pytest.mark.parametrize(
    ("failures", "limit", "opens"), [(1, 1, True), (2, 3, False), (3, 3, True), (0, 1, False)]
)
def test_so_many_failures_in_a_row_open_an_incident(failures: int, limit: int, opens: bool) -> None:
    seen = found({"failed": limit}, outcome=outcome(failures=failures, error="ValueError: no"))
    assert kinds(seen) == ([("failed", True)] if opens else [])
    if opens:
        assert "ValueError: no" in seen[0].observed and seen[0].threshold == f"failed: {limit}"


@pytest.mark.parametrize(("successes", "limit", "closes"), [(1, 1, True), (1, 2, False)])
def test_so_many_successes_in_a_row_close_it(successes: int, limit: int, closes: bool) -> None:
    good = outcome("succeeded", successes=successes)
    seen = found(
        {"failed": 1, "recovered": limit}, open_now=opened("failed", ago(hours=2)), outcome=good
    )
    assert kinds(seen) == ([("failed", False)] if closes else [])


def test_an_incident_that_is_open_does_not_open_again() -> None:
    seen = found(
        {"failed": 1}, open_now=opened("failed", ago(hours=2)), outcome=outcome(failures=5)
    )
    assert seen == []


def test_a_run_that_the_broker_rejects_is_a_failure() -> None:
    seen = found({"failed": 2}, publishing=Publishing(rejected=2, rejection="no such queue"))
    assert kinds(seen) == [("failed", True)] and seen[0].cause == REJECTED
    assert "no such queue" in seen[0].observed


def test_what_the_broker_rejected_is_over_when_it_accepts() -> None:
    rejected = opened("failed", ago(hours=2), cause=REJECTED)
    assert found({"failed": 1}, open_now=rejected, publishing=Publishing(rejected=1)) == []
    seen = found({"failed": 1}, open_now=rejected, publishing=Publishing(confirmed=1))
    assert kinds(seen) == [("failed", False)]


# late: counted from the planned moment


@pytest.mark.parametrize(("late_s", "opens"), [(59, False), (60, False), (61, True)])
def test_late_counts_from_the_planned_moment(late_s: float, opens: bool) -> None:
    sent = Publishing(planned=ago(hours=1), at=ago(hours=1) + timedelta(seconds=late_s))
    assert kinds(found({"late": "1m"}, publishing=sent)) == ([("late", True)] if opens else [])


def test_a_run_on_time_closes_late() -> None:
    before = opened("late", ago(hours=1))
    old = Publishing(planned=ago(hours=3), at=ago(hours=3))
    assert found({"late": "1m"}, open_now=before, publishing=old) == []
    new = Publishing(planned=ago(minutes=5), at=ago(minutes=5))
    assert kinds(found({"late": "1m"}, open_now=before, publishing=new)) == [("late", False)]


def test_a_run_from_before_the_takeover_is_not_late() -> None:
    sent = Publishing(planned=ago(minutes=10), at=ago(minutes=5))
    taken_over = Situation(now=NOW, led_since=ago(minutes=6))
    assert found({"late": "1m"}, publishing=sent, situation=taken_over) == []


# missing: from the last success, else the first outcome, else the first sight


@pytest.mark.parametrize(
    ("known", "since", "opens"),
    [
        (outcome("succeeded", successes=1, last_success=ago(hours=25)), LONG_AGO, False),
        (outcome("succeeded", successes=1, last_success=ago(hours=27)), LONG_AGO, True),
        (outcome(failures=1, first=ago(hours=25)), LONG_AGO, False),
        (outcome(failures=1, first=ago(hours=27)), LONG_AGO, True),
        (None, ago(hours=25), False),
        (None, ago(hours=27), True),
    ],
)
def test_missing_counts_from_the_last_success_else_the_first_outcome_else_the_first_sight(
    known: EntryOutcome | None, since: datetime, opens: bool
) -> None:
    seen = found({"missing": "26h"}, outcome=known, since=since)
    assert kinds(seen) == ([("missing", True)] if opens else [])


def test_a_success_closes_missing() -> None:
    before = opened("missing", ago(hours=2))
    again = outcome("succeeded", successes=1, last_success=ago(minutes=1))
    seen = found({"missing": "26h"}, open_now=before, outcome=again)
    assert kinds(seen) == [("missing", False)]


def test_a_run_that_never_ends_is_missing_too() -> None:
    stuck = outcome("started", started=ago(days=3), last_success=ago(days=4))
    seen = found({"missing": "26h", "running": "2h"}, outcome=stuck)
    assert kinds(seen) == [("missing", True), ("running", True)]


# running


@pytest.mark.parametrize(
    ("state", "hours", "opens"),
    [("started", 1.9, False), ("started", 2.1, True), ("succeeded", 9, False), ("lost", 9, False)],
)
def test_a_run_that_runs_too_long_opens_an_incident(
    state: OutcomeState, hours: float, opens: bool
) -> None:
    seen = found({"running": "2h"}, outcome=outcome(state, started=ago(hours=hours)))
    assert kinds(seen) == ([("running", True)] if opens else [])
    if opens:
        assert "task id id" in seen[0].observed and "w1" in seen[0].observed


def test_the_end_of_the_run_closes_running() -> None:
    ended = outcome("succeeded", started=ago(hours=3))
    seen = found({"running": "2h"}, open_now=opened("running", ago(hours=1)), outcome=ended)
    assert kinds(seen) == [("running", False)]


# paused, resumed


def test_resuming_does_not_bill_the_pause() -> None:
    old = outcome(failures=3, at=ago(days=3), last_success=ago(days=3))
    seen = found({"failed": 1, "missing": "26h"}, outcome=old, resumed=ago(hours=1))
    assert seen == []
    later = Situation(now=NOW + timedelta(hours=26))
    seen = found({"missing": "26h"}, outcome=old, resumed=ago(hours=1), situation=later)
    assert kinds(seen) == [("missing", True)]


@pytest.mark.parametrize(
    ("success", "opens"), [(None, False), (ago(hours=3), False), (ago(minutes=50), True)]
)
def test_a_run_that_begins_after_a_pause_does_not_bill_the_failures_before_it(
    success: datetime | None, opens: bool
) -> None:
    goes_on = outcome("started", failures=3, at=ago(minutes=1), last_success=success)
    seen = found({"failed": 1}, outcome=goes_on, resumed=ago(hours=1))
    assert kinds(seen) == ([("failed", True)] if opens else [])


def test_what_is_no_longer_judged_is_closed() -> None:
    both = opened("failed", ago(hours=1)) | opened("late", ago(hours=1))
    assert kinds(closing_all(both)) == [("failed", False), ("late", False)]
    assert kinds(found({}, open_now=both)) == [("failed", False), ("late", False)]


# causes


AWAY = Outage("broker away", ago(hours=2), ago(hours=1))
STILL_AWAY = Outage("nobody leads", ago(minutes=5))


def test_while_a_cause_lasts_nothing_opens() -> None:
    bad = outcome(failures=5, at=ago(days=1), last_success=ago(days=5))
    rule = {"failed": 1, "missing": "26h"}
    assert len(found(rule, outcome=bad)) == 2
    assert found(rule, outcome=bad, situation=Situation(now=NOW, outages=[STILL_AWAY])) == []


def test_just_after_a_cause_nothing_opens() -> None:
    just = Situation(now=NOW, outages=[Outage("store away", ago(hours=1), ago(seconds=20))])
    assert found({"failed": 1}, outcome=outcome(failures=1, at=ago(days=1)), situation=just) == []


def test_while_a_cause_lasts_a_success_closes() -> None:
    good = outcome("succeeded", successes=1)
    during = Situation(now=NOW, outages=[STILL_AWAY])
    seen = found(
        {"failed": 1}, open_now=opened("failed", ago(days=1)), outcome=good, situation=during
    )
    assert kinds(seen) == [("failed", False)]


@pytest.mark.parametrize("minutes", [119, 90, 60, 59.8])
def test_a_run_that_failed_within_an_outage_is_not_judged(minutes: float) -> None:
    bad = outcome("lost", failures=1, at=ago(minutes=minutes))
    assert found({"failed": 1}, outcome=bad, situation=Situation(now=NOW, outages=[AWAY])) == []


def test_a_run_that_failed_after_the_outage_is_judged() -> None:
    bad = outcome(failures=1, at=ago(minutes=30))
    seen = found({"failed": 1}, outcome=bad, situation=Situation(now=NOW, outages=[AWAY]))
    assert kinds(seen) == [("failed", True)]


def test_a_run_that_was_planned_within_an_outage_is_not_late() -> None:
    sent = Publishing(planned=ago(minutes=90), at=ago(minutes=59))
    assert (
        found({"late": "1m"}, publishing=sent, situation=Situation(now=NOW, outages=[AWAY])) == []
    )


def test_time_within_an_outage_is_not_missing() -> None:
    known = outcome("succeeded", successes=1, last_success=ago(hours=26.5))
    assert kinds(found({"missing": "26h"}, outcome=known)) == [("missing", True)]
    away = Situation(now=NOW, outages=[AWAY])
    assert found({"missing": "26h"}, outcome=known, situation=away) == []


def test_time_in_two_outages_counts_once() -> None:
    two = [AWAY, Outage("store away", ago(hours=1.5), ago(hours=0.5))]
    assert time_away(two, ago(hours=9), NOW) == timedelta(hours=1.5)
    assert time_away(two, ago(hours=1.75), NOW) == timedelta(hours=1.25)
    assert time_away([STILL_AWAY], ago(hours=1), NOW) == timedelta(minutes=5)


def test_after_a_change_of_leader_nothing_opens_at_once() -> None:
    bad = outcome(failures=1)
    settling = Situation(now=NOW, led_since=ago(seconds=3), settling=True)
    assert found({"failed": 1}, outcome=bad, situation=settling) == []
    assert len(found({"failed": 1}, outcome=bad)) == 1
