"""A herd that was missed, or could not be sent, is one line, and not a thousand."""

import json
import logging
import os
from datetime import UTC, datetime, timedelta

import pytest

from beatd.changes import Author
from beatd.definition import entry_from
from beatd.events import (
    AlertNotSent,
    EntriesCounted,
    IncidentsOpened,
    PausesChanged,
    RunsFailed,
    RunsNotReceived,
    RunsReceivedAgain,
    Sent,
    Skipped,
    Started,
    StoreAway,
)
from beatd.incident import Incident
from beatd.ledger import Result
from beatd.observers.log import LogObserver
from beatd.observers.log_formats import JsonLines, TextLines
from beatd.outcome import Delivery
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, Skip
from beatd.schedules import zone

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "beatd")
    return caplog


def missed(count: int, reason: str = "missed; only the latest was run") -> Skipped:
    ends = [NOON + timedelta(minutes=n) for n in range(count)]
    return Skipped([(f"e{n}", Skip(NOON, end, 2, reason)) for n, end in enumerate(ends)])


def ended(count: int, outcome: Outcome) -> list[Result]:
    results = []
    for n in range(count):
        entry = entry_from(f"e{n}", {"task": "t", "every": "1m"}, source="cli")
        run = Run(Occurrence(entry.name, NOON), f"id-{n}", entry, 1, NOON)
        results.append(Result(run, outcome, NOON))
    return results


def test_a_few_skips_are_told_one_by_one(lines: pytest.LogCaptureFixture) -> None:
    LogObserver()(missed(2))
    assert lines.messages == [
        "e0 skipped 2 runs, 2026-03-01T12:00:00+00:00 to 2026-03-01T12:00:00+00:00: "
        "missed; only the latest was run",
        "e1 skipped 2 runs, 2026-03-01T12:00:00+00:00 to 2026-03-01T12:01:00+00:00: "
        "missed; only the latest was run",
    ]


def test_many_skips_are_one_line_for_each_reason(lines: pytest.LogCaptureFixture) -> None:
    late = [("slow", Skip(NOON, NOON, 1, f"late by {n}.5 s, grace is 1 s")) for n in range(3)]
    LogObserver()(Skipped([*missed(60).skips, *late]))
    assert lines.messages == [
        "e0 and 59 more skipped 120 runs, 2026-03-01T12:00:00+00:00 to 2026-03-01T12:59:00+00:00: "
        "missed; only the latest was run",
        "slow skipped 3 runs, 2026-03-01T12:00:00+00:00 to 2026-03-01T12:00:00+00:00: late",
    ]
    assert lines.records[0].facts["entries"] == 60  # type: ignore[attr-defined]
    assert lines.records[0].facts["count"] == 120  # type: ignore[attr-defined]


def test_a_run_skipped_after_the_others_of_its_outage_has_the_number_of_all(
    lines: pytest.LogCaptureFixture,
) -> None:
    seen, second = LogObserver(), timedelta(seconds=1)
    late = "late by {} s, grace is 1 s (nobody led)"
    seen(Skipped([("a", Skip(NOON + second, NOON + 2 * second, 2, late.format(1.5)))]))
    seen(Skipped([("a", Skip(NOON, NOON, 1, late.format(3.5)))]))
    seen(Skipped([("a", Skip(NOON - second, NOON - second, 1, "removed"))]))
    assert lines.messages[1:] == [
        "a skipped 1 run more, in all 3 runs, 2026-03-01T12:00:00+00:00 to "
        "2026-03-01T12:00:02+00:00: late by 3.5 s, grace is 1 s (nobody led)",
        "a skipped the run of 2026-03-01T11:59:59+00:00: removed",
    ]
    facts = lines.records[1].facts  # type: ignore[attr-defined]
    assert (facts["count"], facts["in_all"]) == (1, 3)


@pytest.mark.parametrize("reason", ["store /x/beatd.db: locked", "store: locked", "redis: locked"])
def test_the_store_that_is_waited_for_is_named_once(
    lines: pytest.LogCaptureFixture, reason: str
) -> None:
    LogObserver()(StoreAway(reason))
    (line,) = lines.messages
    assert line.startswith("waiting for the store: ") and line.endswith(": locked")
    assert line.count("store") == 1


def test_many_that_failed_alike_are_one_line(lines: pytest.LogCaptureFixture) -> None:
    full, away = Outcome("rejected", "queue is full"), Outcome("unsent", "connection refused")
    LogObserver()(Sent.of([*ended(40, full), *ended(1, away)], 0.1))
    assert lines.messages == [
        "e0 and 39 more failed: queue is full",
        "e0 could not be sent yet: connection refused",
    ]


def test_runs_that_no_worker_receives_are_a_line_with_their_queue(
    lines: pytest.LogCaptureFixture,
) -> None:
    seen = LogObserver()
    seen(RunsNotReceived(["nightly", "tick"], "reports"))
    seen(RunsReceivedAgain(["nightly", "tick"], "reports"))
    seen(RunsNotReceived([f"e{n}" for n in range(22)], ""))
    assert lines.messages[:2] == [
        "not received: nightly, tick; no worker received their last runs from the queue reports",
        "received again: nightly, tick; a worker receives runs from the queue reports",
    ]
    assert lines.messages[2].endswith("e18, e19 and 2 more; no worker received their last runs")
    assert [one.levelname for one in lines.records] == ["WARNING", "INFO", "WARNING"]
    assert lines.records[0].facts == {  # type: ignore[attr-defined]
        "event": "RunsNotReceived", "entry": "nightly", "entries": 2, "queue": "reports",
    }  # fmt: skip


def test_each_is_told_to_who_debugs(lines: pytest.LogCaptureFixture) -> None:
    lines.set_level(logging.DEBUG, "beatd")
    LogObserver()(missed(60))
    assert len(lines.messages) == 60


def test_a_start_is_a_line_that_says_what_runs_with_which_parts(
    lines: pytest.LogCaptureFixture,
) -> None:
    whole = Started(
        name="web1:12", version="0.1.0", config="/etc/beatd/config.yaml", app="proj",
        broker="amqp://mq", store="mysql://db", lock="redis://r", http="127.0.0.1:9753",
    )  # fmt: skip
    LogObserver()(whole)
    least = Started(
        name="web1:12", version="0.1.0", config=None, app=None, broker="amqp://mq",
        store="redis://r", lock="redis://r", http=None,
    )  # fmt: skip
    LogObserver()(least)
    LogObserver()(EntriesCounted(1))
    assert lines.messages == [
        "beatd 0.1.0 starts as web1:12, configuration /etc/beatd/config.yaml, app proj, "
        "broker amqp://mq, store mysql://db, lock redis://r, http 127.0.0.1:9753",
        "beatd 0.1.0 starts as web1:12, no configuration file, no app, "
        "broker amqp://mq, store redis://r, lock in the store, no http",
        "the store has 1 entry",
    ]
    assert lines.records[0].facts == {  # type: ignore[attr-defined]
        "event": "Started", "name": "web1:12", "version": "0.1.0", "app": "proj",
        "config": "/etc/beatd/config.yaml", "broker": "amqp://mq", "store": "mysql://db",
        "lock": "redis://r", "http": "127.0.0.1:9753",
    }  # fmt: skip


def test_a_line_of_json_says_which_file_has_no_name_in_unicode() -> None:
    record = logging.makeLogRecord({"msg": os.fsdecode(b"caf\xe9.yaml")})
    assert json.loads(JsonLines().format(record))["message"] == "caf\\udce9.yaml"


def test_a_name_cannot_steer_the_terminal_that_shows_the_log() -> None:
    name = "a\nb\0c\x1b[31m\u202ed \u00e4"
    record = logging.LogRecord("beatd", logging.INFO, "", 0, "%s", (name,), None)
    assert TextLines().format(record).endswith(r"a\nb\x00c\x1b[31m\u202ed ä")


def test_failed_runs_are_a_line_each_and_a_count_of_the_others(
    lines: pytest.LogCaptureFixture,
) -> None:
    known = {"task_id": "t", "delivery": "d", "name": "e", "planned": NOON, "at": NOON}
    failed = Delivery(
        **known, state="failed", worker="w@host", error="ValueError('no')",
        started=NOON, finished=NOON + timedelta(seconds=1.5),
    )  # fmt: skip
    LogObserver()(RunsFailed((failed, Delivery(**known, state="lost")), 7))
    assert lines.messages == [
        "run failed: e of 2026-03-01T12:00:00+00:00 on w@host after 1.500 s: ValueError('no')",
        "run lost: e of 2026-03-01T12:00:00+00:00: its worker has been silent for too long",
        "7 more runs failed, see `beatd history`",
    ]
    LogObserver()(RunsFailed((), 1))
    assert lines.messages[-1] == "1 more run failed, see `beatd history`"
    assert lines.records[0].facts["runtime"] == 1.5  # type: ignore[attr-defined]


def test_a_task_that_no_worker_knows_says_how_many_runs_had_no_line(
    lines: pytest.LogCaptureFixture,
) -> None:
    known = {"delivery": "d", "name": "e", "planned": NOON, "at": NOON, "error": "NotRegistered: t"}
    first, second = (Delivery(task_id=one, state="failed", **known) for one in ("1", "2"))
    LogObserver(lambda moment: f"{moment:%H:%M} here")(
        RunsFailed((first, second), 0, {"1": 0, "2": 59})
    )
    begin = "run failed: e of 12:00 here: NotRegistered: t"
    assert lines.messages == [
        f"{begin}; until it changes, this is said once an hour",
        f"{begin}; so did 59 runs since the last such line; until it changes, this is said once an "
        "hour",
    ]


def test_a_few_incidents_are_a_line_each_and_many_are_a_line_for_each_kind(
    lines: pytest.LogCaptureFixture,
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    some = [
        Incident(kind="failed", name=f"e{n}", opened=now, observed="1 failure") for n in range(600)
    ]
    LogObserver()(IncidentsOpened(some[:2]))
    assert [r.getMessage() for r in lines.records] == [
        "incident opened: failed of e0: 1 failure",
        "incident opened: failed of e1: 1 failure",
    ]
    lines.clear()
    LogObserver()(IncidentsOpened(some))
    (line,) = lines.records
    assert line.getMessage() == "incident opened: failed of e0 and 599 more: 1 failure"


def test_a_message_that_is_given_up_is_an_error(lines: pytest.LogCaptureFixture) -> None:
    LogObserver()(AlertNotSent("https://x", "beatd: a failing", "no answer", final=False))
    LogObserver()(AlertNotSent("https://x", "beatd: a failing", "no answer", final=True))
    first, second = lines.records
    assert (first.levelno, second.levelno) == (logging.WARNING, logging.ERROR)
    assert second.getMessage().endswith("no answer; it is not tried again")


def test_text_has_the_local_time_with_its_offset_and_json_has_utc() -> None:
    record = logging.LogRecord("beatd", logging.INFO, "f.py", 1, "stopped", (), None)
    record.created = (NOON + timedelta(milliseconds=123)).timestamp()
    berlin = TextLines(zone("Europe/Berlin"))
    assert berlin.format(record) == "2026-03-01T13:00:00.123+01:00 info    stopped"
    assert TextLines().format(record) == "2026-03-01T12:00:00.123Z info    stopped"
    assert json.loads(JsonLines().format(record))["at"] == "2026-03-01T12:00:00.123000+00:00"


def test_skipped_times_are_local_in_text_and_utc_in_facts(lines: pytest.LogCaptureFixture) -> None:
    berlin = zone("Europe/Berlin")
    LogObserver(lambda moment: moment.astimezone(berlin).isoformat())(missed(1))
    assert lines.messages == [
        "e0 skipped 2 runs, 2026-03-01T13:00:00+01:00 to 2026-03-01T13:00:00+01:00: "
        "missed; only the latest was run",
    ]
    assert lines.records[0].facts["planned"] == NOON.isoformat()  # type: ignore[attr-defined]


def test_a_pause_is_one_line_with_who_until_when_and_why(lines: pytest.LogCaptureFixture) -> None:
    ann, names = Author("ann@host-1", note="deploy"), [f"e{n}" for n in range(25)]
    observe = LogObserver(lambda moment: f"{moment:%H:%M}")
    observe(PausesChanged(names=["tick"], action="paused", author=ann, until=NOON))
    observe(PausesChanged(names=["tick"], action="resumed", author=Author("bob"), until=None))
    observe(PausesChanged(names=names, action="paused", author=Author(), until=None, at_least=True))
    assert lines.messages == [
        "paused: tick, until 12:00, by ann@host-1: deploy",
        "resumed: tick, by bob",
        f"paused: {', '.join(names[:20])} and at least 5 more",
    ]
    assert {record.levelname for record in lines.records} == {"INFO"}
    facts = json.loads(JsonLines().format(lines.records[0]))
    told = {"entry": "tick", "by": "ann@host-1", "until": NOON.isoformat(), "note": "deploy"}
    assert told.items() <= facts.items()
