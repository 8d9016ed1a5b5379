"""What became of runs, in list, show, history and status."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from msgspec.structs import replace

from beatd import last_sent
from beatd.cli import history
from beatd.cli.paged_table import print_pages
from beatd.ledger import RunningChange
from beatd.outcome import Delivery
from beatd.run import Occurrence, task_id
from beatd.stores import sqlite_quick_list as glancing
from beatd.views.record_rows import with_deliveries
from tests.cli.conftest import Here
from tests.cli.test_history import ran
from tests.cli.test_status import announced
from tests.stores.making import claimed, lead, leads, row
from tests.stores.running_runs import put_queued, started, waiting

NOW = datetime.now(UTC).replace(microsecond=0)
HISTORY_KEYS = ("outcome", "started", "finished", "runtime", "worker", "error", "origin")


def reported(here: Here, *states: str, name: str = "x", **more: Any) -> None:
    """Reports about one run; the oldest first, each of another delivery."""
    store = here.store()
    planned = more.pop("planned", NOW)
    run = task_id(store.namespace, Occurrence(name, planned))
    for nth, state in enumerate(states):
        known = {"task_id": run, "delivery": f"d{nth}", "name": name, "planned": planned}
        at = NOW - timedelta(hours=10, minutes=-nth)
        store.write_outcomes([Delivery(**{**known, "state": state, "at": at, **more})], NOW)
    store.close()


def leaves(here: Here) -> None:
    """All daemons end."""
    with closing(here.store()) as store:
        for one in store.daemons():
            store.leave(one.holder)


def planned_of_x(here: Here) -> datetime:
    return datetime.fromisoformat(here.json("history", "x")[0]["planned"])


def test_history_has_the_promised_keys_though_nothing_was_reported(x: Here) -> None:
    ran(x, history_confirmed())
    (row,) = x.json("history")
    assert {key: row[key] for key in HISTORY_KEYS} == {
        **dict.fromkeys(HISTORY_KEYS), "origin": "planned",
    }  # fmt: skip
    assert "deliveries" not in row


def history_confirmed() -> Any:
    from beatd.publisher import Outcome

    return Outcome("confirmed")


def test_history_shows_what_became_of_a_run(x: Here) -> None:
    ran(x, history_confirmed())
    times = {"started": NOW, "finished": NOW + timedelta(seconds=2.5), "worker": "w@host"}
    reported(x, "failed", planned=planned_of_x(x), error="ValueError: no", **times)
    (row,) = x.json("history")
    assert row["outcome"] == "failed" and row["runtime"] == 2.5 and row["worker"] == "w@host"
    assert row["error"] == "ValueError: no" and row["started"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    line = x("history").out.splitlines()[-1]
    assert line.endswith("failed    2.5 s     w@host   ValueError: no")


def test_a_run_that_workers_received_twice_is_shown(x: Here) -> None:
    ran(x, history_confirmed())
    reported(x, "retried", "lost", "succeeded", planned=planned_of_x(x))
    (row,) = x.json("history")
    assert row["outcome"] == "succeeded" and row["deliveries"] == 2  # a retry is none
    assert "received 2 times: " in x("history").out


def test_history_reads_outcomes_in_pages(x: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    store, asked = x.store(), list[int]()

    class Outcomes:
        def outcomes(self, task_ids: list[str]) -> dict[str, Any]:
            asked.append(len(task_ids))
            return {}

    store.close()
    from beatd.history import Record

    records = (Record("x", NOW, "published", task_id=str(nth)) for nth in range(1200))
    assert len(list(with_deliveries(records, Outcomes()))) == 1200  # type: ignore[arg-type]
    assert asked == [500, 500, 200]


@pytest.fixture(params=["quick", "store"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list with and without SQLAlchemy."""
    if request.param == "store":
        monkeypatch.setattr(glancing, "VERSION", 0)


@pytest.mark.usefixtures("way")
def test_list_and_show_have_the_last_outcome(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "1h")
    for nth in range(3):
        reported(x, "failed", planned=NOW + timedelta(hours=nth), error="no", worker="w")
    (row, other) = x.json("list", "--sort", "name")
    assert row == x.json("show", "x") and other["outcome"] is other["running"] is None
    assert row["outcome"]["outcome"] == "failed" and row["outcome"]["failures"] == 3
    assert row["outcome"]["last_success"] is None and row["running"] is None
    assert "failed ×3" in x("list").out
    shown = x("show", "x").out
    assert "outcome   failed on w, 10 h" in shown and "3 in a row" in shown


@pytest.mark.usefixtures("way")
def test_list_and_show_say_since_when_a_run_is_running(x: Here) -> None:
    announced(x)
    reported(x, "started", started=NOW - timedelta(hours=10))
    assert x.json("list")[0]["running"]["since"] == x.json("show", "x")["running"]["since"]
    assert "running 10 h" in x("list").out
    assert "since 10 h" in x("show", "x").out


def test_status_names_what_fails_in_workers_and_what_runs_for_long(x: Here) -> None:
    announced(x)
    x("add", "y", "--task", "t", "--every", "1h")
    x("add", "z", "--task", "t", "--every", "1h")
    reported(x, "failed", error="ValueError: no")
    reported(x, "started", name="y", started=NOW - timedelta(hours=2))
    reported(x, "started", name="z", started=NOW - timedelta(minutes=30))
    found = x.json("status")
    (failing,), (long,) = found["failing"], found["running_long"]
    assert (failing["entry"], failing["outcome"]) == ("x", "failed")
    assert (long["entry"], long["limit"]) == ("y", 3600)
    out = x("status").out
    assert "x (ValueError: no)" in out and "longer than 1 h" in out
    x("remove", "x")
    assert x.json("status")["failing"] == []


def test_history_names_the_trace_of_an_entry_that_has_one(x: Here) -> None:
    ran(x, history_confirmed())
    (row,) = x.json("history")
    assert row["trace"] is None
    x("edit", "x", "--trace")
    (row,) = x.json("history", "x")
    assert row["trace"] == row["task_id"].replace("-", "")


def test_why_knows_no_entry_of_that_name(x: Here) -> None:
    assert x.json("why", "nosuch", code=1)["cause"] == "unknown entry"
    assert x.json("why", "x")["cause"] == "nobody leads"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, columns: int, row: Sequence[str]) -> tuple[str, str]:
    """The header and the line of one row of the history, on a terminal this wide."""
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    print_pages(
        history.COLUMNS,
        [row],
        nothing="",
        least={"task id, reason or error": 32, "entry": 16, "worker": 12},
        left_out=("worker", "runtime", "late", "origin"),
    )
    header, _, line = terminal.getvalue().splitlines()
    assert len(line) <= columns
    return header, line


def test_a_narrow_terminal_leaves_out_what_says_least(monkeypatch: pytest.MonkeyPatch) -> None:
    row = (
        "2026-11-28 00:36:12 UTC", "nightly-report", "published", "", "0.004 s", "succeeded",
        "1 ms", "celery@worker-1", "7f8b37cb-8eac-5404-b8a7-b8a187d136ba",
    )  # fmt: skip
    header, line = shown(monkeypatch, 100, row)
    assert "worker" not in header and "succeeded" in line


def test_a_terminal_shows_more_of_a_reason_rather_than_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reason = "missed; only the latest was run (the broker was away)"
    row = ("2026-11-28 00:36:12 UTC", "x", "skipped", "", "0.004 s", "", "1 ms", "w@host", reason)
    header, line = shown(monkeypatch, 100, row)
    assert "worker" not in header and "only the latest was run" in line


def test_a_long_name_of_an_entry_leaves_room_for_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = ("2026-11-28 00:36:12 UTC", "n" * 80, "skipped", "", "", "", "", "", "r" * 80)
    _, line = shown(monkeypatch, 120, row)
    assert "n" * 16 in line and "r" * 39 in line


def test_an_entry_that_waits_for_its_run_before_looks_like_it(here: Here) -> None:
    store = here.store()
    term = lead(store)
    started(store, put_queued(store), term)
    running = RunningChange(
        seen=row(store).running.task_id,  # type: ignore[union-attr]
        until=NOW + timedelta(hours=1),
    )
    step = waiting(store, row(store))
    assert list(store.claim([replace(step, running=running)], term, NOW)) == [True]
    store.close()
    assert "waits for the run before" in here("list").out


@pytest.mark.usefixtures("way")
def test_a_run_that_no_worker_received_does_not_have_the_outcome_of_an_older_one(
    x: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_sent, "ON_ITS_WAY", timedelta(days=-2))  # its runs are ahead
    announced(x)
    ran(x, history_confirmed())
    assert x.json("list")[0]["outcome"] is None  # no worker ever reported
    assert "not received" not in x("list").out
    reported(x, "succeeded", planned=planned_of_x(x))
    assert "succeeded" in x("list").out and "not_received" not in x.json("list")[0]
    ran(x, history_confirmed())
    newest = x.json("history", "x")[0]
    (row,) = x.json("list")
    assert row == x.json("show", "x") and row["outcome"]["outcome"] == "succeeded"
    assert row["not_received"] == {
        key: newest[key] for key in ("task_id", "planned", "published")
    }  # fmt: skip
    out = x("list").out
    assert "sent, not received" in out and "succeeded" not in out
    assert x("history").out.count("sent, not received") == 1
    shown = x("show", "x").out
    assert "not received by a worker" in shown and "before   succeeded" in shown
    reported(x, "received", planned=planned_of_x(x))
    assert "not_received" not in x.json("list")[0] and "received" in x("list").out
    reported(x, "failed", planned=planned_of_x(x))
    ran(x, history_confirmed())
    assert "sent, not received, failed before" in x("list").out


@pytest.mark.usefixtures("way")
def test_a_run_that_waits_in_the_queue_is_not_running(here: Here) -> None:
    store = here.store()
    term, until = lead(store), NOW + timedelta(hours=1)
    run = claimed(store, put_queued(store), term, running=RunningChange("", until))
    leads(store)
    store.close()
    reported(here, "succeeded", name="tidy")  # of an earlier run
    assert "sent, not received" in here("list").out
    assert here.json("list")[0]["not_received"]["task_id"] == run.task_id
    shown = here("show", "tidy").out
    assert "not received by a worker" in shown and "running" not in shown
    store = here.store()
    planned = run.occurrence.planned
    at = NOW - timedelta(minutes=1)
    taken = {"name": "tidy", "planned": planned, "state": "started", "at": at, "started": at}
    store.write_outcomes([Delivery(task_id=run.task_id, delivery="d", **taken)], NOW)
    store.close()
    assert "running" in here("list").out and "running" in here("show", "tidy").out


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("state", ["received", "started", "retried", "sent"])
def test_while_no_daemon_leads_nobody_knows_what_became_of_the_newest_run(
    x: Here, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_sent, "ON_ITS_WAY", timedelta(days=-2))
    announced(x)
    ran(x, history_confirmed())
    reported(x, "succeeded", planned=planned_of_x(x))
    ran(x, history_confirmed())
    if state != "sent":
        reported(x, state, planned=planned_of_x(x))
    (row,) = x.json("list")
    assert "unread" not in row and row == x.json("show", "x")
    leaves(x)
    (row,) = x.json("list")
    assert row == x.json("show", "x")
    assert (row["unread"], row["running"], "not_received" in row) == (True, None, False)
    out = x("list").out
    assert "not known yet" in out
    assert "not received" not in out and "running" not in out and state not in out
    shown = " ".join(x("show", "x").out.split())
    known = "not known yet: no daemon leads, so nobody reads the reports of workers"
    assert known in shown and "running" not in shown and "not received" not in shown
    assert ("before succeeded" if state == "sent" else f"last report {state}") in shown


@pytest.mark.usefixtures("way")
def test_while_no_daemon_leads_an_outcome_is_known_of_a_run_that_ended(x: Here) -> None:
    ran(x, history_confirmed())
    reported(x, "failed", planned=planned_of_x(x))
    (row,) = x.json("list")
    assert "unread" not in row and row["outcome"]["outcome"] == "failed"
    assert "not known" not in x("list").out and "failed" in x("list").out


@pytest.mark.usefixtures("way")
def test_while_no_daemon_leads_failures_before_the_newest_run_are_named(
    x: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_sent, "ON_ITS_WAY", timedelta(days=-2))
    ran(x, history_confirmed())
    reported(x, "failed", planned=planned_of_x(x))
    ran(x, history_confirmed())
    assert "not known yet, failed before" in x("list").out
