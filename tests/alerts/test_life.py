"""The life of incidents on every store, with a real receiver: from the first failure to the message
that all is well, across changes of the leader."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from beatd.errors import StoreError
from beatd.events import (
    BrokerAway,
    BrokerBack,
    IncidentsCounted,
    OutcomesAway,
    OutcomesBack,
    Sent,
    StoreAway,
    StoreBack,
    WentBack,
)
from beatd.incident import Incident
from beatd.ledger import Result
from beatd.presence import Presence
from beatd.publisher import Outcome
from beatd.trace import trace_id
from tests.alerts.scene import Scene
from tests.stores import places
from tests.stores.making import edit, holder, plan, row, run_of

STORES = [places.memory, places.shelve, places.sqlite, places.postgresql, places.mariadb]
STORES.append(places.redis)


@pytest.mark.parametrize("place", STORES, indirect=True)
def test_three_failures_are_one_message_also_if_the_leader_dies_and_recovery_is_one(
    everywhere: Scene,
) -> None:
    scene = everywhere
    scene.add(["a", "b"], failed=3, recovered=2)
    scene.leader()
    for _ in range(2):
        scene.ends("failed", "a", error="ValueError: no")
        scene.passes(20)
    assert scene.incidents() == [], "two are not three"
    scene.ends("failed", "a", error="ValueError: no")
    scene.passes(20)
    assert [one.kind for one in scene.incidents()] == ["failed"]
    scene.leader()  # the other one was killed before the message was sent
    scene.passes(40)
    (said,) = scene.messages(1)
    assert (said["type"], said["kind"], said["entries"]) == ("opened", "failed", ["a"])
    assert "3 failures in a row, the last: failed: ValueError: no" in said["observed"]
    scene.leader()
    scene.ends("failed", "a")
    scene.silence()
    scene.ends("succeeded", "a", "b")
    scene.silence(60)
    scene.ends("succeeded", "a", "b")
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["entries"]) == ("resolved", ["a"]) and over["lasted"] > 300
    scene.leader()
    scene.silence()
    assert [one.closed is not None for one in scene.incidents()] == [True]


def test_a_leader_that_dies_while_it_sends_leaves_the_message_to_the_next(scene: Scene) -> None:
    scene.add(["a"], failed=1)
    first = scene.leader()
    scene.passes(40)
    first._sender._lines[0]._channel = Unreachable()  # type: ignore[assignment]
    scene.delivers = False
    scene.ends("failed", "a")
    scene.passes(40)
    assert first._news._under_way
    first.close()
    scene.delivers = True
    scene.leader()
    scene.passes(20)
    scene.messages(0)  # the lease lasts
    scene.passes(60)
    scene.messages(1)
    scene.silence()


def test_a_message_that_was_sent_and_could_not_be_noted_is_noted_later_and_not_sent_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.leader()
    scene.add(["a"], failed=1)
    scene.passes(60)
    scene.ends("failed", "a")
    put, refused = scene.store.put_incidents, list[Incident]()

    def refuses_once(incidents: Sequence[Incident]) -> list[bool]:
        if not refused and any(one.announced for one in incidents):
            refused.extend(incidents)
            raise StoreError("the connection was lost")
        return put(incidents)

    monkeypatch.setattr(scene.store, "put_incidents", refuses_once)
    scene.passes(60)
    assert refused
    scene.messages(1)
    scene.silence(300)


class Unreachable:
    shown = "https://nowhere"

    def send(self, message: object) -> None:
        raise OSError("nothing goes out")


def test_five_thousand_entries_failing_because_the_broker_is_away_are_one_message(
    scene: Scene,
) -> None:
    names = [f"e{number}" for number in range(5000)]
    scene.add(names, failed=1, missing="1h", late="1m")
    thread = scene.leader()
    scene.ends("succeeded", *names)
    scene.passes(60)
    scene.head.trouble_of_broker = "connection refused"
    thread.events(OutcomesAway("connection refused"))  # they are on the same broker
    thread.events(BrokerAway("connection refused"))
    scene.passes(10)
    scene.ends("lost", *names)
    scene.passes(3600, step=300)
    (said,) = scene.messages(1)
    assert (said["type"], said["kind"], said["count"]) == ("opened", "broker away", 1)
    assert "connection refused" in said["observed"]
    thread.events(BrokerBack(3600))
    thread.events(OutcomesBack(3600))
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["kind"]) == ("resolved", "broker away")
    scene.ends("succeeded", *names)
    scene.silence()


def test_while_outcomes_cannot_be_read_nothing_is_missing_but_that_is_said(scene: Scene) -> None:
    scene.add(["a"], missing="1h")
    thread = scene.leader()
    scene.ends("succeeded", "a")
    scene.passes(60)
    thread.events(OutcomesAway("the result backend is away"))
    scene.passes(7200, step=100)
    (said,) = scene.messages(1)
    assert said["kind"] == "outcomes away" and "the result backend is away" in said["observed"]
    thread.events(OutcomesBack(7200))
    scene.passes(60)
    assert scene.messages(2)[1]["type"] == "resolved"
    scene.silence()


def test_five_hundred_entries_that_fail_together_are_one_message(scene: Scene) -> None:
    names = [f"e{number}" for number in range(500)]
    scene.add(names, failed=1)
    scene.leader()
    scene.passes(40)
    scene.ends("failed", *names)
    scene.passes(60)
    (said,) = scene.messages(1)
    assert said["count"] == 500 and len(said["entries"]) == 10
    assert IncidentsCounted({"failed": 500}) in scene.events
    scene.silence()


def test_a_short_outage_of_the_broker_is_no_news(scene: Scene) -> None:
    scene.add(["a"], failed=1)
    thread = scene.leader()
    scene.passes(40)
    thread.events(BrokerAway("it is gone."))
    scene.passes(10)
    thread.events(BrokerBack(10))
    scene.silence()
    (incident,) = scene.incidents()
    assert incident.kind == "broker away"
    assert incident.observed == "it is gone; over: it can be used"


# paused, disabled, resumed, new


def test_a_paused_entry_is_not_judged_and_resuming_does_not_bill_the_pause(
    scene: Scene,
) -> None:
    scene.add(["a"], missing="26h", failed=1)
    scene.leader()
    scene.ends("succeeded", "a")
    scene.passes(60)
    stored = row(scene.store, "a")
    assert scene.store.write([edit(stored, stored.entry, paused=True)]) == [True]
    scene.passes(60)
    scene.ends("failed", "a")
    scene.silence(600)
    scene.clock.advance(days=3)
    scene.thread.turn()
    stored = row(scene.store, "a")
    assert scene.store.write([edit(stored, stored.entry, plan(0), paused=False)]) == [True]
    scene.leader()
    scene.silence()
    scene.clock.advance(hours=26)
    scene.passes(60)
    (said,) = scene.messages(1)
    assert said["kind"] == "missing"


def test_pausing_an_entry_closes_its_incidents(scene: Scene) -> None:
    scene.add(["a"], failed=1)
    scene.leader()
    scene.passes(40)
    scene.ends("failed", "a")
    scene.passes(60)
    scene.messages(1)
    stored = row(scene.store, "a")
    assert scene.store.write([edit(stored, stored.entry, paused=True)]) == [True]
    scene.passes(60)
    _, over = scene.messages(2)
    assert over["type"] == "resolved" and "paused" in over["observed"]


def test_a_new_entry_is_missing_only_after_its_whole_time(scene: Scene) -> None:
    scene.leader()
    scene.passes(40)
    scene.add(["a"], missing="1h")
    scene.passes(3500, step=100)
    scene.leader()  # the time counts on
    scene.passes(30)
    assert scene.incidents() == []
    scene.passes(200, step=20)
    assert [one.kind for one in scene.incidents()] == ["missing"]


def test_after_a_time_without_any_daemon_nothing_is_missing_at_once(scene: Scene) -> None:
    scene.add(["a"], missing="26h")
    scene.leader()
    scene.ends("succeeded", "a")
    scene.passes(60)
    scene.clock.advance(days=3)
    scene.leader()
    scene.silence()
    (gap,) = scene.incidents()
    assert gap.kind == "nobody leads" and gap.closed is not None


# published late, rejected


def sent(scene: Scene, name: str, late: timedelta, outcome: str = "confirmed") -> str:
    """A run is published; return its task id."""
    now = scene.clock.now()
    run = run_of(scene.store, row(scene.store, name), planned=now - late)
    reason = "" if outcome == "confirmed" else "no such queue"
    result = Result(run, Outcome(outcome, reason), now)  # type: ignore[arg-type]
    scene.thread.events(Sent.of([result], 0.01))
    return run.task_id


def test_a_run_that_is_published_late_and_one_that_the_broker_rejects(scene: Scene) -> None:
    scene.add(["a", "b"], late="1m", failed=1)
    scene.leader()
    scene.passes(600, step=60)
    sent(scene, "a", timedelta(seconds=90))
    sent(scene, "b", timedelta(0), "rejected")
    scene.passes(60)
    said = scene.messages(2)
    assert {(one["kind"], one["entries"][0]) for one in said} == {("late", "a"), ("failed", "b")}
    for name in ("a", "b"):
        sent(scene, name, timedelta(0))
    scene.passes(60)
    assert [one["type"] for one in scene.messages(4)[2:]] == ["resolved"] * 2


def test_messages_name_the_trace_of_the_run_that_failed_or_runs_too_long(scene: Scene) -> None:
    scene.add(
        ["failing", "hanging", "rejected", "late"], trace=True, failed=1, running="1m", late="1m"
    )
    scene.add(["untraced"], failed=1)
    scene.leader()
    scene.passes(600, step=60)
    scene.ends("failed", "failing", "untraced")
    scene.ends("started", "hanging")
    rejected = sent(scene, "rejected", timedelta(0), "rejected")
    sent(scene, "late", timedelta(seconds=90))
    scene.passes(180)
    traces = {one.name: one.trace for one in scene.incidents()}
    assert traces == {
        "failing": trace_id("failing-1"),
        "hanging": trace_id("hanging-2"),
        "rejected": trace_id(rejected),
        "late": "",
        "untraced": "",
    }
    said = [one for one in scene.messages(4) if one["kind"] == "running"]
    assert said[0]["trace"] == traces["hanging"] and traces["hanging"] in said[0]["text"]


# the whole


def test_a_standby_reports_that_nobody_leads_and_the_leader_that_it_is_over(
    scene: Scene,
) -> None:
    scene.leader(standby=True)
    scene.head.trouble_of_lock = "redis is away"
    scene.passes(20)
    assert scene.incidents() == []
    scene.passes(60)
    (said,) = scene.messages(1)
    assert said["kind"] == "nobody leads" and "redis is away" in said["observed"]
    scene.leader(standby=True)  # a second standby does not repeat it
    scene.silence()
    scene.leader()
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["kind"]) == ("resolved", "nobody leads")


def test_a_standby_with_a_leader_reports_nothing(scene: Scene) -> None:
    scene.leader(standby=True)
    presence = Presence(holder(), "leader", True, scene.clock.now())
    scene.store.announce(presence, 10_000)
    scene.silence()
    assert scene.incidents() == []


def test_a_leader_whose_store_is_away_says_so_and_writes_it_down_afterwards(scene: Scene) -> None:
    thread = scene.leader()
    scene.passes(40)
    thread.events(StoreAway("connection refused"))
    scene.head.number = 0  # its lease was in the store
    scene.passes(60)
    (said,) = scene.messages(1)
    assert said["kind"] == "store away" and "connection refused" in said["observed"]
    thread.events(StoreBack(60))
    scene.head.number = scene.term
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["kind"]) == ("resolved", "store away")
    scene.silence()


def test_an_invalid_source_and_a_store_that_went_back_are_incidents(scene: Scene) -> None:
    thread = scene.leader()
    scene.head.problems = ["schedules/a.yaml:3: is not a crontab"]
    thread.events(WentBack("it issued term 3 after 4"))
    scene.passes(90)
    said = scene.messages(2)
    assert {one["kind"] for one in said} == {"invalid source", "store went back"}
    scene.head.problems = []
    scene.passes(60)
    assert scene.messages(3)[2]["kind"] == "invalid source"
    scene.silence()


# reminders, flapping


def test_a_reminder_of_all_that_is_open_comes_again_and_again(scene: Scene) -> None:
    scene.add(["a", "b"], failed=1)
    scene.leader(again=timedelta(hours=12))
    scene.passes(40)
    scene.ends("failed", "a", "b")
    scene.passes(60)
    scene.messages(1)
    scene.clock.advance(hours=12)
    scene.passes(20)
    again = scene.messages(2)[1]
    assert (again["type"], again["count"]) == ("reminder", 2)
    scene.leader(again=timedelta(hours=12))
    scene.silence()
    scene.clock.advance(hours=12)
    scene.passes(60)
    assert scene.messages(3)[2]["type"] == "reminder"


def test_an_entry_that_flaps_is_said_once_a_day(scene: Scene) -> None:
    scene.add(["a"], failed=1)
    scene.leader()
    scene.passes(60)
    for _ in range(20):
        scene.ends("failed", "a")
        scene.passes(60, step=10)
        scene.ends("succeeded", "a")
        scene.passes(60, step=10)
    said = scene.messages(9)
    assert [one["type"] for one in said] == ["opened", "resolved"] * 4 + ["opened"]
    assert "again and again" in said[-1]["title"]
    assert len(scene.incidents()) == 20
