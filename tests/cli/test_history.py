"""beatd trigger, backfill, history and status"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.leader import Holder
from beatd.ledger import Move, Presence, Result
from beatd.planning import first, plan_at
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, Skip, task_id
from tests.cli.shelf import Here, here

__all__ = ["here"]

NOW = datetime.now(UTC)
LEADER = Holder("one", "host-a", 11, NOW, "token-a")
STANDBY = Holder("two", "host-b", 22, NOW, "token-b")


@pytest.fixture
def x(here: Here) -> Here:
    here("add", "x", "--task", "t", "--every", "1h")
    return here


def ran(here: Here, outcome: Outcome | None, reason: str = "") -> None:
    """What a daemon would have left: a run with this outcome, or a skip."""
    store = here.store()
    term = store.begin(LEADER)
    (row,) = store.find(Query(names=("x",)))
    planned = row.plan.planned
    assert planned is not None
    following = plan_at(row.entry, planned + timedelta(hours=1), row.plan.fingerprint)
    occurrence = Occurrence("x", planned)
    run = Run(occurrence, task_id(store.namespace, occurrence), row.entry, row.revision, planned)
    skips = () if outcome else (Skip(planned, planned + timedelta(hours=2), 3, reason),)
    move = Move(
        of="plan",
        name="x",
        revision=row.revision,
        seen=planned,
        plan=following,
        run=run if outcome else None,
        counts=1 if outcome else 0,
        skips=skips,
    )
    assert list(store.claim([move], term, planned)) == [True]
    if outcome is not None:
        store.record([Result(run, outcome, planned + timedelta(milliseconds=12))])
    store.close()


def test_trigger_prints_the_id_it_will_have(x: Here) -> None:
    told = x("trigger", "x").out.strip()
    store = x.store()
    ((request, _),) = store.requests(10)
    assert told == task_id(store.namespace, Occurrence("x", request.first, request.id))
    store.close()
    assert set(x.json("trigger", "x")) == {"entry", "task_id"}
    assert "no entry 'y'" in x("trigger", "x", "y", code=1).line


def test_backfill_says_how_many(x: Here) -> None:
    words = ("backfill", "x", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T05:30:00Z")
    found = x.json(*words, "--dry-run")
    assert (found["count"], found["asked"]) == (6, False)
    assert x(*words).out.startswith("6 runs of x asked for, 2026-01-01T00:00:00Z")
    store = x.store()
    assert [request.kind for request, _ in store.requests(10)] == ["backfill"]
    store.close()


@pytest.mark.parametrize(
    ("since", "to", "said"),
    [
        ("nope", "2026-01-01", "--from: 'nope' is not a moment"),
        ("2026-01-02", "2026-01-01", "is after"),
        ("2026-01-01", "2100-01-01", "ahead of us"),
    ],
)
def test_a_backfill_that_cannot_be_is_told(x: Here, since: str, to: str, said: str) -> None:
    assert said in x("backfill", "x", "--from", since, "--to", to, code=2).line


def test_history_tells_the_newest_first(x: Here) -> None:
    ran(x, Outcome("confirmed"))
    ran(x, Outcome("rejected", "no such queue"))
    ran(x, None, "caught up")
    records = x.json("history")
    assert [record["state"] for record in records] == ["skipped", "failed", "published"]
    published = records[2]
    keys = ["entry", "planned", "state", "reason", "task_id", "published", "late"]
    assert list(published) == keys
    assert (published["entry"], published["late"]) == ("x", 0.012)
    assert published["planned"].endswith("Z") and published["task_id"]
    assert records[1]["reason"] == "no such queue"
    assert (records[0]["count"], records[0]["reason"]) == (3, "caught up")
    out = x("history", "x").out
    assert "no such queue" in out and "3 moments to" in out and "0.012 s" in out


def test_history_is_limited_and_filtered(x: Here) -> None:
    for outcome in ("confirmed", "rejected", "confirmed"):
        ran(x, Outcome(outcome, "why"))  # type: ignore[arg-type]
    assert len(x.json("history", "--limit", "2")) == 2
    found = x.json("history", "--state", "published", "--limit", "1")
    assert [record["state"] for record in found] == ["published"]
    assert x.json("history", "x", "--state", "skipped") == []
    assert "no entry 'y'" in x("history", "y", code=1).line


def test_a_store_where_nothing_ran(x: Here) -> None:
    assert x.json("history") == []
    assert x("history").line == "nothing ran yet"


# status


def announced(here: Here, **stats: float) -> None:
    store = here.store()
    store.begin(LEADER)
    now = datetime.now(UTC)
    for holder, role in ((STANDBY, "standby"), (LEADER, "leader")):
        presence: Any = Presence(holder, role, True, now, 0.001, "", stats)  # type: ignore[arg-type]
        store.announce(presence, 60.0)
    store.close()


def test_status_tells_who_leads_and_how_it_is(x: Here) -> None:
    announced(x, tick_age=0.1, atomic=1.0, late_p50=0.001, late_p99=0.002, late_max=0.003)
    found = x.json("status")
    assert list(found) == [
        *("name", "host", "pid", "role", "term", "leader", "standbys", "store", "broker"),
        *("atomic", "unknowns", "last_tick_age", "lateness", "entries", "next", "conflicts"),
    ]
    assert (found["name"], found["role"], found["term"]) == ("one", "leader", 1)
    assert set(found["leader"]) == {"name", "host", "pid", "since"}
    assert [other["name"] for other in found["standbys"]] == ["two"]
    assert found["lateness"] == {"p50": 0.001, "p99": 0.002, "max": 0.003}
    assert (found["entries"], found["unknowns"], found["atomic"]) == (1, 0, True)
    assert found["next"][0]["name"] == "x"
    out = x("status").out
    assert "one (host-a, pid 11)" in out and "p99 2.0 ms" in out


def test_a_store_that_nobody_serves_is_told(x: Here) -> None:
    found = x.json("status", code=1)
    assert (found["leader"], found["store"]["ok"], found["entries"]) == (None, True, 1)
    assert "nobody leads" in x("status", code=1).out


def test_a_store_that_is_away_keeps_the_shape(x: Here) -> None:
    away = x.json("status", "--store", "postgresql://u:secretpw@127.0.0.1:1/x", code=1)
    assert away["store"]["ok"] is False and "127.0.0.1:1" in away["store"]["error"]
    announced(x)
    assert list(away) == list(x.json("status"))
    assert "secretpw" not in str(away)


def test_status_tells_conflicts(x: Here) -> None:
    x.config("entries: {x: {task: other, every: 5m}}\n")
    (conflict,) = x.json("status", code=1)["conflicts"]
    assert "config.yaml: entry 'x' is held by cli" in conflict


def test_a_plan_of_a_new_entry_is_ahead(x: Here) -> None:
    store = x.store()
    (row,) = store.find(Query())
    store.close()
    assert row.plan.planned == first(row.entry, datetime.now(UTC)).planned
