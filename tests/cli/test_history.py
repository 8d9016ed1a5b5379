"""beatd trigger, backfill and history"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query
from beatd.cli.author import author
from beatd.leader import Holder
from beatd.ledger import Move, Request, Result, RunningChange
from beatd.planning import first, plan_at
from beatd.publisher import Outcome
from beatd.run import Occurrence, Origin, Run, Skip, task_id
from beatd.stores import sqlite_quick_list as glancing
from tests.cli.conftest import Here
from tests.stores.making import claimed, lead, put
from tests.stores.run_by_hand import carry_out_request

NOW = datetime.now(UTC)
LEADER = Holder("one", "host-a", 11, NOW, "token-a")
STANDBY = Holder("two", "host-b", 22, NOW, "token-b")


def ran(
    here: Here,
    outcome: Outcome | None,
    reason: str = "",
    late: timedelta = timedelta(milliseconds=12),
    name: str = "x",
    origin: Origin = "planned",
) -> None:
    """What a daemon would have left: a run with this outcome, or a skip."""
    store = here.store()
    term = store.begin(LEADER)
    (row,) = store.find(Query(names=(name,)))
    planned = row.plan.planned
    assert planned is not None
    following = plan_at(row.entry, planned + timedelta(hours=1), row.plan.fingerprint)
    occurrence = Occurrence(name, planned)
    run = Run(
        occurrence, task_id(store.namespace, occurrence), row.entry, row.revision, planned,
        origin=origin,
    )  # fmt: skip
    skips = () if outcome else (Skip(planned, planned + timedelta(hours=2), 3, reason),)
    move = Move(
        of="plan",
        name=name,
        revision=row.revision,
        seen=planned,
        plan=following,
        run=run if outcome else None,
        counts=1 if outcome else 0,
        skips=skips,
    )
    assert list(store.claim([move], term, planned)) == [True]
    if outcome is not None:
        store.record([Result(run, outcome, planned + late)])
    store.close()


def test_trigger_takes_arguments_for_this_run_only(x: Here) -> None:
    assert "is not a list" in x("trigger", "x", "--args", "{}", code=2).line
    x("trigger", "x", "--args", "[7]", "--kwargs", '{"day": "2027-01-31"}')
    assert x.json("show", "x")["args"] == []


def test_a_run_by_hand_keeps_who_requested_it_and_its_arguments(x: Here) -> None:
    x("trigger", "x", "--args", "[7]")
    store = x.store()
    carry_out_request(store, NOW)
    store.close()
    (record,) = x.json("history")
    assert record["requested"] == {"by": author(), "via": "command", "args": [7]}
    assert f"by {author()}, args [7]: {record['task_id']}" in x("history").out
    assert f"by {author()}, args [7]" in x("why", "x", "--at", record["planned"]).out
    store = x.store()
    store.forget(datetime.now(UTC) + timedelta(days=1), 0)
    assert store.marks.requested(record["task_id"]) is None
    store.close()


def test_all_times_of_the_table_have_as_many_digits(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "1h", "--phase", "0.5")
    ran(x, Outcome("confirmed"))
    assert ".000 " not in x("history").out
    ran(x, Outcome("confirmed"), name="y")
    out = x("history").out
    assert ":00.000 C" in out and ":00.500 C" in out


def test_a_trigger_says_that_its_run_will_be_skipped_while_another_runs(here: Here) -> None:
    store = here.store()
    term, until = lead(store), datetime.now(UTC) + timedelta(hours=1)
    stored = put(store, "tidy", overlap="skip", max_run="1h")
    claimed(store, stored, term, running=RunningChange("", until))
    store.close()
    told = here("trigger", "tidy").told
    assert "tidy is running, and has overlap: skip" in told and "is skipped" in told


def test_trigger_prints_the_id_it_will_have(x: Here) -> None:
    told = x("trigger", "x").out.strip()
    store = x.store()
    ((request, _),) = store.requests(10)
    assert told == task_id(store.namespace, Occurrence("x", request.first, request.id))
    store.close()
    (row,) = x.json("trigger", "x")
    assert set(row) == {"entry", "task_id"} and row["entry"] == "x"
    assert "no entry 'y'" in x("trigger", "x", "y", code=1).line


def test_backfill_says_how_many(x: Here) -> None:
    words = ("backfill", "x", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T05:30:00Z")
    found = x.json(*words, "--dry-run")
    assert (found["count"], found["asked"]) == (6, False)
    assert x(*words).out == (
        "requested 6 runs of x, 2026-01-01 01:00:00 CET to 2026-01-01 06:00:00 CET\n"
    )
    store = x.store()
    assert [request.kind for request, _ in store.requests(10)] == ["backfill"]
    store.close()


def test_a_dry_backfill_shows_its_moments(x: Here) -> None:
    words = ("backfill", "x", "--from", "2026-10-25T00:00", "--dry-run", "--to")
    head, *moments = x(*words, "2026-10-25T03:00").out.splitlines()
    assert head.endswith("2026-10-25 00:00:00 CEST to 2026-10-25 03:00:00 CET")
    assert moments == [
        "  2026-10-25 00:00:00 CEST",
        "  2026-10-25 01:00:00 CEST",
        "  2026-10-25 02:00:00 CEST",
        "  2026-10-25 02:00:00 CET",
        "  2026-10-25 03:00:00 CET",
    ]
    _, *moments = x(*words, "2026-10-25T23:00").out.splitlines()
    assert len(moments) == 11
    assert moments[-3:] == [
        "  2026-10-25 07:00:00 CET", "  … 15 more …", "  2026-10-25 23:00:00 CET"
    ]  # fmt: skip
    found = x.json(*words, "2026-10-25T23:00")
    assert (len(found["moments"]), found["moments"][-1]) == (10, found["last"])
    _, *moments = x(*words, "2026-10-25T08:00").out.splitlines()
    assert len(moments) == 10 and "…" not in "".join(moments)


def test_a_backfill_of_very_many_wants_a_second_word(x: Here) -> None:
    words = ("backfill", "x", "--from", "2020-01-01T00:00:00Z", "--to", "2020-12-31T00:00:00Z")
    assert "8761 runs" in x(*words, code=2).line
    assert "would request 8761 runs of x" in x(*words, "--dry-run").out
    store = x.store()
    assert not store.requests(10)
    assert x(*words, "--yes").out.startswith("requested 8761 runs of x,")
    assert len(store.requests(10)) == 1
    store.close()


def test_a_backfill_is_seen_while_it_is_pending_and_can_be_called_off(x: Here) -> None:
    words = ("backfill", "x", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T05:30:00Z")
    assert "x has no backfill" in x("backfill", "x", "--cancel", code=1).line
    x(*words)
    assert "is pending already" in x(*words, code=1).line
    asked = x.json("status", code=1)["requests"]
    assert asked == {"count": 1, "at_least": False, "oldest": {
        "entry": "x", "kind": "backfill",
        "first": "2026-01-01T00:00:00Z", "last": "2026-01-01T05:00:00Z",
    }}  # fmt: skip
    assert "1 pending, first the backfill of x" in x("status", code=1).out
    assert "backfill, 2026-01-01 01:00:00 CET to 2026-01-01 06:00:00 CET" in x("show", "x").out
    assert x.json("show", "x") == x.json("list")[0]
    assert x("backfill", "x", "--cancel").out == "6 runs of x called off\n"
    assert x.json("status", code=1)["requests"]["count"] == 0
    (record,) = x.json("history", "x")
    assert (record["state"], record["reason"]) == ("skipped", "called off")
    x(*words)
    assert "--cancel" in x("backfill", "x", "--from", "2026-01-01", "--cancel", code=2).line
    assert "--from" in x("backfill", "x", code=2).line


@pytest.mark.parametrize(
    ("since", "to", "said"),
    [
        ("nope", "2026-01-01", "--from: 'nope' is not a moment"),
        ("2026-01-02", "2026-01-01", "is after"),
        ("2026-01-01", "2100-01-01", "in the future"),
    ],
)
def test_a_backfill_that_cannot_be_is_told(x: Here, since: str, to: str, said: str) -> None:
    assert said in x("backfill", "x", "--from", since, "--to", to, code=2).line


def test_history_tells_the_newest_first(x: Here) -> None:
    ran(x, Outcome("confirmed"))
    ran(x, Outcome("rejected", "no such queue"))
    ran(x, None, "missed; only the latest was run")
    records = x.json("history")
    assert [record["state"] for record in records] == ["skipped", "failed", "published"]
    published = records[2]
    keys = [
        "entry",
        "planned",
        "state",
        "reason",
        "task_id",
        "published",
        "late",
        "origin",
        "trace",
    ]
    keys += ["outcome", "started", "finished", "runtime", "worker", "error"]
    assert list(published) == keys
    assert (published["entry"], published["late"]) == ("x", 0.012)
    assert published["planned"].endswith("Z") and published["task_id"]
    assert records[1]["reason"] == "no such queue"
    assert (records[0]["count"], records[0]["reason"]) == (3, "missed; only the latest was run")
    out = x("history", "x").out
    assert "no such queue" in out and "3 runs to" in out and "0.012 s" in out


def test_history_is_limited_and_filtered(x: Here) -> None:
    for outcome in ("confirmed", "rejected", "confirmed"):
        ran(x, Outcome(outcome, "why"))  # type: ignore[arg-type]
    assert len(x.json("history", "--limit", "2")) == 2
    found = x.json("history", "--state", "published", "--limit", "1")
    assert [record["state"] for record in found] == ["published"]
    assert x.json("history", "x", "--state", "skipped") == []
    assert "no entry 'y'" in x("history", "y", code=1).line


def test_the_time_in_a_reason_is_in_the_zone_of_the_table(x: Here) -> None:
    ran(x, None, "still running: other since 2026-03-01T11:59:00+00:00")
    assert ": still running: other since 2026-03-01 12:59:00 CET" in x("history").out
    (record,) = x.json("history")
    assert record["reason"] == "still running: other since 2026-03-01T11:59:00+00:00"


def test_a_limit_cuts_no_stretch_and_the_state_filter_keeps_outages_apart(x: Here) -> None:
    missed = "missed; only the latest was run (nobody led)"
    for reason in (missed, None, missed, missed):
        ran(x, None if reason else Outcome("confirmed"), reason or "")
    assert [row["count"] for row in x.json("history", "--state", "skipped")] == [3, 3, 3]
    (_, _, line) = x("history", "--limit", "1").out.splitlines()
    assert " 6 runs to " in line
    _, _, newer, older = x("history", "--state", "skipped").out.splitlines()
    assert " 6 runs to " in newer and " 3 runs to " in older


def test_the_table_has_the_origin_of_each_run_in_words(x: Here) -> None:
    ran(x, Outcome("confirmed"))
    ran(x, Outcome("confirmed"), origin="catch-up")
    assert [row["origin"] for row in x.json("history")] == ["catch-up", "planned"]
    _, _, caught_up, planned = x("history").out.splitlines()
    assert " caught up " in caught_up and " planned " in planned
    details = x.json("why", "x", "--at", x.json("history")[0]["planned"])["details"]
    assert {
        "what": "origin",
        "text": "caught up: missed with others in an outage, and sent after it by catch_up",
    } in details


def test_history_is_asked_about_a_time(x: Here) -> None:
    for outcome in ("confirmed", "rejected", "confirmed"):
        ran(x, Outcome(outcome, "why"))  # type: ignore[arg-type]
    ran(x, None, "missed; only the latest was run")
    first = datetime.fromisoformat(x.json("history")[-1]["planned"])
    hour = timedelta(hours=1)

    def states(*words: object) -> list[str]:
        return [record["state"] for record in x.json("history", "x", *words)]

    second = (first + hour).isoformat()
    assert states("--since", second) == ["skipped", "published", "failed"]
    assert states("--until", second) == ["failed", "published"]
    assert states("--since", second, "--until", second) == ["failed"]
    assert states("--since", second, "--limit", 1) == ["skipped"]
    assert states("--since", (first + 5 * hour).isoformat()) == ["skipped"]  # within its stretch
    wall = (first + hour).astimezone(ZoneInfo("Europe/Berlin"))
    assert states("--since", f"{wall:%Y-%m-%dT%H:%M:%S}")[-1] == "failed"
    assert "--until: 'x' is not a moment" in x("history", "--until", "x", code=2).line


def test_a_length_counts_back_from_now(x: Here) -> None:
    overdue(x, datetime.now(UTC) - timedelta(hours=3))
    ran(x, Outcome("confirmed"))
    assert x.json("history", "--since", "2h") == []
    assert len(x.json("history", "--since", "4h")) == 1
    assert len(x.json("history", "--until", "2h")) == 1
    assert x.json("history", "--until", "4h") == []
    assert "or a length back from now, like 10m" in x("history", "--since", "10x", code=2).line
    assert "'9999999d' is too long" in x("history", "--since", "9999999d", code=2).line


def test_history_says_what_it_was_filtered_by(x: Here) -> None:
    assert x("history", "--state", "failed").line == "nothing ran yet"
    assert x("history", "x", "--state", "failed").line == "nothing of x ran yet"
    ran(x, Outcome("confirmed"))
    line = x("history", "x", "--state", "failed", "--since", "2026-01-01").line
    filters = "--state failed --since 2026-01-01 00:00:00 CET"
    assert line == f"no record of x matches {filters}; without that there are some"


def test_a_run_by_hand_has_no_lateness(x: Here) -> None:
    store = x.store()
    (row,) = store.find(Query(names=("x",)))
    now = datetime.now(UTC)
    planned = now - timedelta(days=15)
    asked = Request(
        id="r", name="x", kind="backfill", first=planned, last=planned, revision=row.revision
    )
    store.add_requests([asked])
    occurrence = Occurrence("x", planned, "r")
    run = Run(
        occurrence, task_id(store.namespace, occurrence), row.entry, row.revision, planned,
        origin="backfill",
    )  # fmt: skip
    move = Move(of="request", name="x", revision=row.revision, seen=planned, request=asked, run=run)
    assert list(store.claim([move], store.begin(LEADER), now)) == [True]
    store.record([Result(run, Outcome("confirmed"), now)])
    store.close()
    (record,) = x.json("history")
    assert (record["origin"], record["state"], record["late"]) == ("backfill", "published", None)
    assert "late" not in x("history").out and "15 d" not in x("history").out


def test_history_tells_times_as_show_does(x: Here) -> None:
    ran(x, Outcome("confirmed"))
    planned = datetime.fromisoformat(x.json("history")[0]["planned"])
    wall = planned.astimezone(ZoneInfo("Europe/Berlin"))
    out = x("history").out
    assert out.startswith("planned for ") and f"{wall:%Y-%m-%d %H:%M:%S %Z}" in out
    ran(x, None, "missed; only the latest was run")
    until = (planned + 3 * timedelta(hours=1)).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"3 runs to {until:%Y-%m-%d %H:%M:%S %Z}: missed" in x("history").out
    (row, *_) = x.json("status", code=1)["next"]
    due = datetime.fromisoformat(row["due"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{due:%Y-%m-%d %H:%M:%S %Z}  x" in x("status", code=1).out


def test_what_is_very_late_is_told_in_words(x: Here) -> None:
    ran(x, Outcome("confirmed"), late=timedelta(hours=32, minutes=48))
    assert "1 d 8 h" in x("history").out


def test_a_store_where_nothing_ran(x: Here) -> None:
    assert x.json("history") == []
    assert x("history").line == "nothing ran yet"


# what fails


def test_an_entry_that_fails_looks_like_it(x: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    x("add", "y", "--task", "t", "--every", "1h")
    ran(x, Outcome("confirmed"))
    assert "failed" not in x("list").out and x.json("status", code=1)["failing"] == []
    ran(x, Outcome("rejected", "404 no exchange"))
    ran(x, None, "missed; only the latest was run")
    (line,) = [line for line in x("list").out.splitlines() if line.startswith("x ")]
    assert "failed" in line
    monkeypatch.setattr(glancing, "VERSION", -1)
    assert line.split()[:4] == x("list", "x").out.splitlines()[2].split()[:4]
    assert "failed" in x("list", "x").out
    shown = {line.split()[0]: line for line in x("show", "x").out.splitlines()}
    assert "failed" in shown["last"] and "404 no exchange" in shown["failed"]
    (failing,) = x.json("status", code=1)["failing"]
    assert (failing["entry"], failing["reason"]) == ("x", "404 no exchange")
    assert "x (404 no exchange)" in x("status", code=1).out
    ran(x, Outcome("confirmed"))
    assert "failed" not in x("list").out and "failed" not in x("show", "x").out


def test_a_plan_of_a_new_entry_is_ahead(x: Here) -> None:
    store = x.store()
    (row,) = store.find(Query())
    store.close()
    assert row.plan.planned == first(row.entry, datetime.now(UTC)).planned


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (("pause", "x"), ("resume", "x"), "paused"),
        (("edit", "x", "--disabled"), ("edit", "x", "--enabled"), "disabled"),
        (("edit", "x", "--jitter", "1s"), ("edit", "x", "--every", "5m"), "edited"),
    ],
)
def test_history_and_why_tell_a_pause_a_disabling_and_an_edit_apart(
    x: Here, before: tuple[str, ...], after: tuple[str, ...], reason: str
) -> None:
    past = datetime.now(UTC) - timedelta(hours=5)
    x("add", "x", "--task", "t", "--every", "1h", "--start", past.isoformat(), "--replace")
    overdue(x, past)
    x(*before)
    x(*after)
    (row,) = x.json("history", "x")
    assert (row["state"], row["reason"]) == ("skipped", reason)
    assert x("why", "x", "--at", row["planned"]).out.startswith(f"{reason}: skipped: ")


def overdue(here: Here, planned: datetime) -> None:
    """Leave x with a moment that is past, as if no daemon had led since."""
    store = here.store()
    (row,) = store.find(Query(names=("x",)))
    plan = replace(row.plan, planned=planned, due=planned)
    change = Change(name="x", seen=row.revision, entry=row.entry, plan=plan, progress=row.progress)
    assert store.write([change]) == [True]
    store.close()


def test_show_says_that_runs_by_hand_are_not_counted_if_one_is_the_newest(x: Here) -> None:
    said = "(runs by hand and backfills are not counted)"
    assert said not in x("show", "x").out
    for origin in ("backfill", "trigger"):
        ran(x, Outcome("confirmed"), origin=origin)
        assert said in x("show", "x").out
    ran(x, Outcome("confirmed"))
    assert said not in x("show", "x").out
