"""Why a moment ran or did not run: the first cause, from the plan to the worker."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Plan, Stored
from beatd.changes import Author, ChangeRecord, EntryState, Pause
from beatd.entry import Alert, Entry
from beatd.history import Record
from beatd.incident import Incident
from beatd.leader import Holder
from beatd.ledger import OpenClaim
from beatd.outcome import Delivery
from beatd.presence import Presence
from beatd.publishers.queue_state import QueueState
from beatd.run import Occurrence, Running
from beatd.schedules import cron, interval
from beatd.why.answer import Answer
from beatd.why.chain import why
from beatd.why.facts import RECORDS_READ, Facts

NOW = datetime(2027, 1, 10, 12, 0, 30, tzinfo=UTC)
NOON = NOW.replace(second=0)
TOMORROW = NOON + timedelta(days=1)
ID = "0b8f3c1e-9a51-5c7e-8d43-2f7f6a1b9c00"
LEADER = Presence(Holder("a", "host-a", 1, "x", NOW), "leader", True, NOW)


def noon(**more: Any) -> Entry:
    gap = more.get("dst_gap", "run")
    schedule = cron(more.pop("cron", "0 12 * * *"), tz=more.get("tz", "UTC"), dst_gap=gap)
    return Entry(name="noon", task="t", schedule=schedule, **more)


def row(entry: Entry | None = None, planned: datetime | None = TOMORROW, **more: Any) -> Stored:
    paused = more.pop("paused", False)
    entry = entry or noon()
    due = None if paused or not entry.enabled else more.pop("due", planned)
    more = {"runs": 0, "last": None, **more}
    return Stored(entry, 1, paused, Plan(planned, due, "f", "r"), **more)


def answered(**more: Any) -> Answer:
    return why(Facts(**{"name": "noon", "now": NOW, "row": row(), "daemons": [LEADER], **more}))


def published(**more: Any) -> Record:
    at = NOON + timedelta(milliseconds=2)
    return Record("noon", NOON, "published", task_id=ID, published=at, late=0.002, **more)


def delivery(state: Any, **more: Any) -> dict[str, Any]:
    one = Delivery(
        task_id=ID, delivery="d", name="noon", planned=NOON, at=NOW, worker="w1", state=state,
        received=NOON, **more,
    )  # fmt: skip
    return {"records": [published()], "deliveries": {ID: [one]}}


def skipped(reason: str) -> dict[str, Any]:
    return {"records": [Record("noon", NOON, "skipped", reason)]}


def test_an_entry_that_runs_well_while_its_file_has_a_mistake() -> None:
    line = "jobs.yaml:4: entries.noon.evry: is not a key of an entry; did you mean every?"
    for told in ({"problems": [line]}, {"daemons": [replace(LEADER, problems=(line,))]}):
        answer = answered(**delivery("succeeded"), **told)
        assert answer.cause == "succeeded"
        assert answer.line.endswith("; but its newest edit is not applied")
        assert ("not applied", line) in answer.details
    for name in (".noon-2.", ".'noon.eu'.", ".afternoon."):
        other = line.replace(".noon.", name)
        assert "edit" not in answered(**delivery("succeeded"), problems=[other]).line
    dots = line.replace(".noon.", ".'noon.eu'.")
    records = [replace(published(), name="noon.eu")]
    assert "edit" in answered(name="noon.eu", records=records, problems=[dots]).line


def test_an_entry_that_runs_well_while_another_in_its_file_has_a_mistake() -> None:
    line = "/etc/beatd/jobs/a.yaml:4: entries.other.evry: is not a key of an entry"
    mine = replace(row(), entry=replace(row().entry, declared_at="jobs/a.yaml"))
    answer = answered(row=mine, **delivery("succeeded"), problems=[line])
    assert answer.cause == "succeeded"
    assert answer.line.endswith("; but edits of jobs/a.yaml are not applied")
    assert ("not applied", line) in answer.details
    for at in ("a", "b.yaml", ""):
        elsewhere = replace(mine, entry=replace(mine.entry, declared_at=at))
        assert "edits" not in answered(row=elsewhere, **delivery("succeeded"), problems=[line]).line


def test_a_run_by_hand_is_found_by_the_second_of_its_request() -> None:
    by_hand = replace(published(origin="trigger"), planned=NOON + timedelta(milliseconds=133))
    for at, cause in ((NOON, "published"), (by_hand.planned, "published")):
        assert answered(records=[by_hand], at=at).cause == cause
    assert answered(records=[by_hand], at=NOON + timedelta(seconds=1)).cause != "published"


def test_a_run_is_found_by_the_time_at_which_it_was_published_or_received() -> None:
    facts = delivery("succeeded")
    sent = replace(published(), published=NOON + timedelta(seconds=30, microseconds=33_512))
    received = NOON + timedelta(seconds=40, microseconds=7_001)
    facts["records"] = [sent]
    facts["deliveries"] = {ID: [replace(facts["deliveries"][ID][0], received=received)]}
    for seconds in (30, 30.033, 40, 40.007):  # as they are typed, and as the answer shows them
        answer = answered(at=NOON + timedelta(seconds=seconds), now=TOMORROW, **facts)
        assert (answer.cause, answer.planned) == ("succeeded", NOON)
    for seconds in (29, 31, 30.034, 41):
        at = NOON + timedelta(seconds=seconds)
        assert answered(at=at, now=TOMORROW, **facts).cause == "not planned"
    often = replace(noon(), schedule=interval("10s"))
    record = Record("noon", NOON + timedelta(seconds=30), "skipped", "paused")
    planned = answered(row=row(often), at=record.planned, records=[sent, record])
    assert planned.cause == "paused"


# the plan


def test_an_entry_that_does_not_exist_is_unknown_or_was_removed() -> None:
    assert answered(row=None).cause == "unknown entry"
    assert answered(row=None, records=[published()], at=TOMORROW).cause == "removed"
    removed = answered(row=None, records=[published()], tz="Europe/Berlin")
    assert removed.cause == "removed"
    assert dict(removed.details)["previous run"] == "2027-01-10 13:00:00 CET, published"
    assert answered(row=None, records=[published()], at=NOON).cause == "published"


def test_an_entry_of_an_invalid_file_is_explained_by_the_file() -> None:
    answer = answered(row=None, problems=["jobs.yaml:3: entries.noon.cron: '5m' is no cron text"])
    assert answer.cause == "invalid source" and "jobs.yaml:3" in answer.line


def test_an_edit_that_an_invalid_file_keeps_from_being_applied_is_explained_by_the_file() -> None:
    at = NOON - timedelta(hours=1)
    assert answered(problems=["jobs.yaml:3: wrong"], at=at).cause == "invalid source"


def test_a_moment_that_the_schedule_does_not_have_is_explained_with_its_neighbours() -> None:
    answer = answered(at=NOON - timedelta(hours=3), **delivery("failed", error="E: no"))
    assert answer.cause == "not planned"
    assert dict(answer.details)["previous run"] == "2027-01-09 12:00:00 UTC, without a record"
    assert dict(answer.details)["next run"] == "2027-01-10 12:00:00 UTC, failed: E: no"
    ahead = dict(answered(at=NOON + timedelta(hours=3), **skipped("paused")).details)
    assert ahead["previous run"] == "2027-01-10 12:00:00 UTC, skipped: paused"
    assert ahead["next run"] == "2027-01-11 12:00:00 UTC, in 23 h 59 min"


def test_an_edit_an_hour_ago_is_seen_in_the_run_before_it() -> None:
    ran = NOON - timedelta(hours=2)
    record = replace(published(), planned=ran)
    answer = answered(records=[record], at=ran + timedelta(days=1), now=TOMORROW)
    assert answer.cause == "not planned"
    assert "edited after its run at 2027-01-10 10:00:00 UTC" in answer.line


def test_a_time_that_the_clock_skipped_is_explained_with_the_rule() -> None:
    entry = noon(cron="30 2 * * *", tz="Europe/Berlin", dst_gap="skip")
    gap = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)  # 02:30 does not exist
    answer = answered(row=row(entry), at=gap, now=gap + timedelta(days=1), tz="Europe/Berlin")
    assert answer.cause == "clock change" and "03:00:00 CEST" in answer.line


@pytest.mark.parametrize(
    ("entry", "more", "cause"),
    [
        (noon(max_runs=3), {"runs": 3, "planned": None}, "max runs"),
        (noon(end=NOON - timedelta(days=1)), {"planned": None}, "ended"),
        (noon(enabled=False), {}, "disabled"),
        (noon(), {"paused": True}, "paused"),
    ],
)
def test_what_stopped_an_entry_is_named(entry: Entry, more: dict[str, Any], cause: str) -> None:
    assert answered(row=row(entry, **more)).cause == cause


def test_a_pause_says_since_when_and_by_whom() -> None:
    pause = Pause(NOON - timedelta(hours=2), "ann@host-1")
    answer = answered(row=row(paused=True, pause=pause))
    assert answer.line == "the entry is paused since 2027-01-10 10:00:00 UTC, by ann@host-1"


def test_a_pause_says_until_when_and_why() -> None:
    pause = Pause(NOON - timedelta(hours=2), "ann", NOON + timedelta(hours=2), "move")
    line = answered(row=row(paused=True, pause=pause)).line
    assert line.endswith(", by ann, until 2027-01-10 14:00:00 UTC: move")


def test_an_entry_that_somebody_disabled_says_since_when_and_by_whom() -> None:
    change = ChangeRecord(
        id="7",
        at=NOON - timedelta(hours=2),
        name="noon",
        action="edited",
        author=Author("ann@host-1", "command", "too slow"),
        before=EntryState("{}", "cli"),
        after=EntryState('{"enabled":false}', "cli"),
    )
    answer = answered(row=row(noon(enabled=False)), disabled=change)
    assert answer.line == (
        "the entry is disabled since 2027-01-10 10:00:00 UTC, by ann@host-1: too slow"
    )


def test_an_entry_that_a_file_disables_names_the_file() -> None:
    entry = noon(enabled=False, declared_at="jobs.yaml:7")
    assert answered(row=row(entry)).line == "the entry is disabled in jobs.yaml:7"


def test_a_start_that_has_not_come_is_named() -> None:
    entry = noon(start=TOMORROW)
    assert answered(row=row(entry), at=NOON - timedelta(days=1)).cause == "not started"


def test_a_paused_entry_is_paused_although_it_ran_before() -> None:
    assert answered(row=row(paused=True), records=[published()]).cause == "paused"


def test_a_moment_ahead_has_not_come() -> None:
    answer = answered()
    assert (answer.cause, answer.planned) == ("not yet", TOMORROW)
    assert "23 h 59 min" in answer.line


def test_a_past_moment_without_a_record_is_said_to_have_none() -> None:
    assert answered(at=NOON - timedelta(days=3)).cause == "no record"


# due, and not sent


@pytest.mark.parametrize(
    ("daemons", "refusal", "cause", "words"),
    [
        ([], "", "nobody leads", "no daemon runs"),
        ([replace(LEADER, role="standby")], "", "nobody leads", "1 daemon stands by"),
        ([replace(LEADER, broker_ok=False, broker="refused")], "", "broker away", "refused"),
        ([LEADER], "disk full", "store away", "disk full"),
        ([LEADER], "", "due", "the leader will send it"),
        ([replace(LEADER, problems=("proj: no module",))], "", "invalid source", "no module"),
    ],
)
def test_what_holds_up_a_due_moment_is_named(
    daemons: list[Presence], refusal: str, cause: str, words: str
) -> None:
    answer = answered(row=row(planned=NOON), daemons=daemons, refusal=refusal)
    assert (answer.cause, answer.planned) == (cause, NOON)
    assert words in answer.line


def test_a_moment_that_waits_for_the_run_before_it_names_that_run() -> None:
    running = Running(ID, NOON - timedelta(minutes=5), NOON + timedelta(hours=1), True)
    entry = noon(overlap="queue", max_run=timedelta(hours=1))
    waiting = row(entry, planned=NOON, due=running.until, running=running)
    answer = answered(row=waiting)
    assert answer.cause == "overlap"
    assert (
        answer.line == f"it waits for the run {ID}, which was claimed 5 min 30 s ago and has "
        "not ended (overlap: queue)"
    )
    assert dict(answer.details)["waits until"] == "2027-01-10 13:00:00 UTC at the latest"


def test_a_run_that_holds_up_another_is_explained_as_well() -> None:
    queue = QueueState(name="q", messages=1, consumers=0)
    earlier = replace(published(), planned=NOON - timedelta(hours=1))
    skip = Record("noon", NOON, "skipped", f"still running: {ID} since 2027-01-10T11:00:00Z")
    answer = answered(records=[skip, earlier], queue=queue)
    assert dict(answer.details)["that run"] == (
        "no consumer: it was published 29 s ago, and no worker consumes the queue q"
    )
    running = Running(ID, NOON, NOON + timedelta(hours=1), True)
    entry = noon(overlap="queue", max_run=timedelta(hours=1))
    waiting = row(entry, planned=NOON, due=running.until, running=running)
    assert (
        "no worker"
        in dict(answered(row=waiting, records=[earlier], queue=queue).details)["that run"]
    )


def test_a_moment_skipped_for_overlap_names_the_run_and_its_time_in_the_zone_of_tables() -> None:
    entry = noon(overlap="skip", max_run=timedelta(hours=1))
    reason = f"still running: {ID} since 2027-01-10T11:00:00+00:00"
    answer = answered(row=row(entry), tz="Europe/Berlin", **skipped(reason))
    assert answer.line == (
        f"skipped: the run {ID}, claimed at 2027-01-10 12:00:00 CET, had not ended (overlap: skip)"
    )
    of_queue = answered(row=row(replace(entry, overlap="queue")), **skipped("still running"))
    assert of_queue.line == (
        "skipped: an earlier run had not ended, and a newer moment waits in its place "
        "(overlap: queue)"
    )


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("paused", "paused"),
        ("disabled", "disabled"),
        ("edited", "edited"),
        ("ended", "ended"),
        ("max_runs reached", "max runs"),
        ("late by 12.000 s, grace is 10 s", "late"),
        ("late by 12.000 s, grace is 10 s (nobody led)", "nobody leads"),
        ("missed; only the latest was run (the broker was away)", "broker away"),
        ("missed; only the latest was run (the store was away)", "store away"),
        ("missed; only the latest was run", "missed"),
        ("caught up", "missed"),
        ("too old", "too old"),
        ("unknown", "unknown"),
        ("called off", "called off"),
        (f"still running: {ID} since 2027-01-10T11:00:00Z", "overlap"),
        ("a reason of a later version", "skipped"),
    ],
)
def test_a_skip_has_the_cause_of_its_reason(reason: str, cause: str) -> None:
    answer = answered(**skipped(reason))
    assert (answer.cause, answer.planned) == (cause, NOON)
    shown = reason.replace("2027-01-10T11:00:00Z", "2027-01-10 11:00:00 UTC")
    assert dict(answer.details)["reason"] == shown


def test_a_stretch_of_skipped_runs_covers_each_moment_in_it() -> None:
    record = Record("noon", NOON - timedelta(days=5), "skipped", "paused", until=NOON, count=6)
    answer = answered(records=[record], at=NOON - timedelta(days=2))
    assert (answer.cause, answer.planned) == ("paused", NOON - timedelta(days=2))
    asked = "2027-01-08 12:00:00 UTC (one of 6 runs skipped together)"
    assert dict(answer.details)["planned"] == asked
    of_first = answered(records=[record], at=record.planned)
    assert dict(of_first.details)["planned"] == "2027-01-05 12:00:00 UTC"
    between = answered(records=[record], at=NOON - timedelta(days=2, hours=1))
    assert between.planned == record.planned  # the moment in question is none of the schedule
    of_all = "2027-01-05 12:00:00 UTC to 2027-01-10 12:00:00 UTC"
    assert dict(answer.details)["skipped"] == f"6 runs, {of_all}"
    late = "late by {} s, grace is 10 s (nobody led)"
    rest = replace(record, planned=NOON - timedelta(days=4), reason=late.format(20), count=5)
    of_claim = replace(record, reason=late.format(99), until=None, count=1)
    for at in (of_claim.planned, NOON):  # the run that was claimed is skipped in another record
        answer = answered(records=[of_claim, rest], at=at)
        assert dict(answer.details)["skipped"] == f"6 runs, {of_all}"


def test_a_claim_that_nobody_recorded_says_what_the_leader_will_do() -> None:
    record = Record("noon", NOON, "claimed", task_id=ID)
    claim = OpenClaim(Occurrence("noon", NOON), ID, NOON, NOON, 4, False, row())
    answer = answered(records=[record], claims=[claim])
    assert answer.cause == "claimed" and "on_unknown: resend" in answer.line
    assert "term 4" in dict(answer.details)["claimed"]


def test_a_message_that_a_full_queue_refuses_is_not_sent() -> None:
    record = Record("noon", NOON, "claimed", task_id=ID)
    claim = OpenClaim(Occurrence("noon", NOON), ID, NOON, NOON, 4, True, row())
    for messages, words in ((10, "10 messages, is"), (1, "1 message, is")):
        queue = QueueState(name="q", messages=messages, consumers=0)
        answer = answered(records=[record], claims=[claim], queue=queue)
        assert answer.cause == "not sent" and f"the queue q has {words}" in answer.line


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("NO_ROUTE: no queue takes it", "the broker refused the message: NO_ROUTE"),
        ("entry noon: t cannot be sent: missing argument x", "no message could be made"),
    ],
)
def test_a_rejected_run_has_the_brokers_words(reason: str, words: str) -> None:
    answer = answered(records=[Record("noon", NOON, "failed", reason, ID)])
    assert answer.cause == "rejected" and words in answer.line


# published


@pytest.mark.parametrize(
    ("state", "error", "cause"),
    [
        ("succeeded", "", "succeeded"),
        ("started", "", "running"),
        ("received", "", "received"),
        ("retried", "OSError: away", "retried"),
        ("revoked", "", "revoked"),
        ("expired", "", "expired"),
        ("lost", "", "lost"),
        ("failed", "ValueError: no such file", "failed"),
        ("failed", "WorkerLostError: signal 9 (SIGKILL)", "worker killed"),
        ("failed", "TimeLimitExceeded: (60,)", "time limit"),
    ],
)
def test_a_reported_run_has_the_cause_of_its_outcome(state: str, error: str, cause: str) -> None:
    answer = answered(**delivery(state, error=error))
    assert answer.cause == cause and error in answer.line


def test_a_task_that_the_worker_does_not_know_did_not_run() -> None:
    answer = answered(**delivery("failed", error="NotRegistered: the worker does not know 't'"))
    assert answer.cause == "unknown task"
    assert answer.line == "w1 does not know the task 't', so it did not run"


def test_a_run_that_the_worker_could_not_start_raised_no_error() -> None:
    never, ran = delivery("failed", error="E: no"), delivery("failed", error="E: no", started=NOON)
    assert answered(**never).line == "w1 did not start it: E: no"
    assert answered(**ran).line == "the task raised an error on w1: E: no"


def test_a_run_that_workers_received_twice_names_each_possible_cause() -> None:
    facts = delivery("succeeded")
    facts["deliveries"] = {ID: facts["deliveries"][ID] * 2}
    assert answered(**facts).line.endswith(
        "; it was received 2 times: the broker delivered it again, or it was sent twice (by a "
        "daemon on another store, or after a crash)"
    )


def test_a_retry_that_waits_in_the_worker_is_a_retry_and_no_second_delivery() -> None:
    first = delivery("retried", error="OSError: away")
    again = delivery("received")["deliveries"][ID][0]
    answer = answered(**{**first, "deliveries": {ID: [*first["deliveries"][ID], again]}})
    assert answer.cause == "retried" and "OSError: away" in answer.line
    assert "times" not in answer.line


def test_an_entry_whose_runs_are_all_fine_says_that_all_is_well() -> None:
    records, deliveries = [], {}
    for days in range(3):
        at = NOON - timedelta(days=days)
        records.append(replace(published(), task_id=f"{days}", planned=at, published=at))
        one = delivery("succeeded", started=NOON, finished=NOON)["deliveries"][ID][0]
        deliveries[f"{days}"] = [replace(one, task_id=f"{days}", planned=at)]
    facts = {"records": records, "deliveries": deliveries}
    answer = answered(**facts)
    assert answer.cause == "succeeded"
    assert answer.line == (
        "all is well: it ran 30 s ago in 0.0 ms on w1, and succeeded, as did the 2 runs before it"
    )
    assert dict(answer.details)["next run"] == "2027-01-11 12:00:00 UTC, in 23 h 59 min"
    about_one = answered(at=NOON, **facts)
    assert about_one.line == "it ran in 0.0 ms on w1, and succeeded"
    for origin in ("backfill", "trigger"):  # between the planned runs, and no run of the schedule
        at = NOON - timedelta(hours=3)
        by_hand = replace(records[1], planned=at, origin=origin, task_id="b")
        failed = delivery("failed")["deliveries"][ID][0]
        mixed = {"records": [by_hand, *records], "deliveries": {**deliveries, "b": [failed]}}
        assert answered(**mixed).line == answer.line
    incident = Incident(kind="late", name="noon", opened=NOON, observed="3 s late")
    judged = row(noon(alert=Alert(late=timedelta(seconds=1))))
    assert "all is well" not in answered(row=judged, incidents=[incident], **facts).line


def test_the_previous_run_is_the_newest_planned_one_before_the_moment() -> None:
    yesterday = replace(published(), planned=NOON - timedelta(days=1), task_id="1")
    backfill = replace(
        published(origin="backfill"), planned=NOON - timedelta(days=7), published=NOW, task_id="2"
    )
    by_hand = replace(published(origin="trigger"), planned=NOON - timedelta(hours=1), task_id="3")
    caught_up = replace(yesterday, planned=NOON - timedelta(days=2), origin="catch-up")
    today = published()
    records = [backfill, caught_up, by_hand, today, yesterday]
    of_today = dict(answered(records=records).details)
    assert of_today["previous run"] == "2027-01-09 12:00:00 UTC, published"
    paused = dict(answered(records=records, row=row(paused=True)).details)
    assert paused["previous run"] == "2027-01-10 12:00:00 UTC, published"
    assert "previous run" not in dict(answered(records=[backfill, by_hand, today]).details)


@pytest.mark.parametrize(
    ("facts", "cause", "line", "condition"),
    [
        (
            {"daemons": [replace(LEADER, broker_ok=False, broker="no", stats={"broker_away": 9})]},
            "broker away",
            "it waits for the broker, away since 2027-01-10 12:00:21 UTC: "
            "the leader cannot reach it: no",
            "the broker is back",
        ),
        (
            {"daemons": []},
            "nobody leads",
            "it waits for a leader: nobody leads, no daemon runs",
            "a daemon leads",
        ),
        (
            {"refusal": "disk full"},
            "store away",
            "it waits for the store: it refuses writes: disk full",
            "the store is back",
        ),
    ],
)
def test_an_outage_is_the_first_answer_and_the_condition_of_the_next_run(
    facts: dict[str, Any], cause: str, line: str, condition: str
) -> None:
    for of_newest in (delivery("succeeded"), {}):
        answer = answered(**facts, **of_newest)
        assert (answer.cause, answer.line, answer.planned) == (cause, line, TOMORROW)
        assert dict(answer.details)["next run"] == (
            f"2027-01-11 12:00:00 UTC, in 23 h 59 min, if {condition} by then; "
            "else catch_up: latest decides"
        )
        assert [what for what, _ in answer.details].count("next run") == 1
    answer = answered(**facts, **delivery("succeeded"))
    assert dict(answer.details)["previous run"] == "2027-01-10 12:00:00 UTC, succeeded"
    assert answered(**facts, **delivery("succeeded"), at=NOON).cause == "succeeded"
    failed = answered(**facts, **delivery("failed", error="E: no", started=NOON))
    assert failed.cause == "failed"
    next_waits = line.replace("it waits", "and the next run waits", 1)
    assert failed.line == f"the task raised an error on w1: E: no; {next_waits}"
    assert condition in dict(failed.details)["next run"] and "now" not in dict(failed.details)


def test_a_run_that_waited_for_a_worker_says_so() -> None:
    sent = NOON + timedelta(milliseconds=2)
    waited = delivery("succeeded", started=sent + timedelta(seconds=40), finished=NOW)
    answer = answered(**waited)
    assert answer.line.endswith("and succeeded; it waited 40 s for a worker")
    assert "all is well" not in answer.line
    soon = answered(**delivery("succeeded", started=sent + timedelta(seconds=4.9)))
    assert soon.line.startswith("all is well") and "waited" not in soon.line
    countdown = row(noon(options={"countdown": 40}))
    assert "waited" not in answered(row=countdown, **waited).line


def test_an_entry_that_has_had_its_runs_says_that_there_is_no_next() -> None:
    finished = row(noon(max_runs=1), planned=None, runs=1, last=NOON)
    answer = answered(row=finished, **delivery("succeeded"))
    assert dict(answer.details)["next run"] == "none: max_runs reached (1)"
    assert answer.line.endswith("and succeeded; no further run is planned")


def test_an_entry_that_is_paused_names_its_previous_run_and_the_next_with_its_condition() -> None:
    details = dict(answered(row=row(paused=True), **delivery("succeeded")).details)
    assert details["previous run"] == "2027-01-10 12:00:00 UTC, succeeded"
    assert details["next run"] == "2027-01-11 12:00:00 UTC, if it is resumed by then"
    pause = Pause(NOON, "ann", TOMORROW)
    until = dict(answered(row=row(paused=True, pause=pause)).details)
    assert until["next run"] == "2027-01-12 12:00:00 UTC, when the pause has ended"
    away = dict(answered(row=row(paused=True), daemons=[]).details)
    assert away["now"] == "every run waits for a leader: nobody leads, no daemon runs"


OF_ENTRY = Incident(kind="failed", name="noon", opened=NOON, observed="3 failures in a row")
OF_BROKER = replace(OF_ENTRY, kind="broker away", name="", observed="it does not answer")
OF_OUTCOMES = replace(OF_BROKER, kind="outcomes away", observed="refused.")
OF_SOURCE = replace(OF_BROKER, kind="invalid source", observed="jobs.yaml:4: entries.b.x: is bad")
ALERTED = row(noon(alert=Alert(failed=3, recovered=2, missing=timedelta(hours=1))))


def incidents_in(answer: Answer) -> list[str]:
    return [text for what, text in answer.details if what == "incident"]


def test_open_incidents_are_named_those_of_the_entry_first() -> None:
    answer = answered(row=ALERTED, incidents=[OF_OUTCOMES, OF_ENTRY])
    assert incidents_in(answer) == [
        "failed, since 2027-01-10 12:00:00 UTC: 3 failures in a row",
        "outcomes away, since 2027-01-10 12:00:00 UTC: refused.",
    ]


def test_a_broker_that_is_away_is_named_once() -> None:
    away = [replace(LEADER, broker_ok=False, broker="refused.")]
    both = [OF_OUTCOMES, OF_BROKER]
    due = answered(row=row(planned=NOON), daemons=away, incidents=both)
    assert due.line == (
        "it is due, and waits for the broker, away since 2027-01-10 12:00:00 UTC: "
        "the leader cannot reach it: refused."
    )
    assert incidents_in(due) == []
    ran = answered(daemons=away, incidents=both, **delivery("succeeded"))
    assert ran.line.startswith("it waits for the broker, away since 2027-01-10 12:00:00 UTC: ")
    assert incidents_in(ran) == [] and "now" not in dict(ran.details)


def test_an_incident_that_the_facts_show_to_be_over_is_not_named() -> None:
    assert incidents_in(answered(incidents=[OF_BROKER])) == []  # the leader reaches the broker
    report = delivery("succeeded", finished=NOW)
    assert incidents_in(answered(incidents=[OF_OUTCOMES, OF_SOURCE], **report)) == []
    assert incidents_in(answered(incidents=[OF_ENTRY], **report)) == []  # no `alert` any more
    missing = replace(OF_ENTRY, kind="missing")
    assert incidents_in(answered(row=ALERTED, incidents=[missing], **report)) == []
    assert answered(row=ALERTED, incidents=[missing], **report).line.startswith("all is well")
    first = answered(row=ALERTED, incidents=[OF_ENTRY], **report)  # the first of two successes
    assert incidents_in(first) == ["failed, since 2027-01-10 12:00:00 UTC: 3 failures in a row"]


def test_an_invalid_source_is_named_once_with_its_mistake_of_now() -> None:
    other = "jobs.yaml:9: entries.c.y: is wrong"
    answer = answered(problems=[other], incidents=[OF_SOURCE])
    assert incidents_in(answer) == [f"invalid source, since 2027-01-10 12:00:00 UTC: {other}"]
    unknown = answered(row=None, problems=[other], incidents=[OF_SOURCE])
    assert other in unknown.line
    assert incidents_in(unknown) == ["invalid source, since 2027-01-10 12:00:00 UTC"]


def test_a_requested_run_has_no_plan_and_no_lateness() -> None:
    asked = replace(published(origin="trigger"), planned=NOON - timedelta(seconds=0.123456))
    details = dict(answered(records=[asked]).details)
    assert details["requested"] == "2027-01-10 11:59:59.876 UTC"
    assert details["published"] == "2027-01-10 12:00:00.002 UTC"
    assert "planned" not in details
    for back in (1, 0.124):  # as it is typed by hand, and as the table shows it
        at = NOON - timedelta(seconds=back)
        assert "requested" in dict(answered(records=[asked], at=at).details)
    unsent = answered(records=[replace(asked, state="failed", reason="refused")])
    assert "requested" in dict(unsent.details) and "planned" not in dict(unsent.details)
    of_past = dict(answered(records=[published(origin="backfill")]).details)
    assert of_past["planned"] == "2027-01-10 12:00:00 UTC"
    assert of_past["published"] == "2027-01-10 12:00:00.002 UTC"


def test_the_error_of_a_run_is_named_once() -> None:
    observed = "3 failures in a row, the last: failed: KeyError: 'a'"
    incident = replace(OF_ENTRY, observed=observed)
    answer = answered(
        row=ALERTED, incidents=[incident], **delivery("failed", error="KeyError: 'a'")
    )
    text = "\n".join((answer.line, *map(str, answer.details)))
    assert text.count("KeyError") == 1
    assert incidents_in(answer) == ["failed, since 2027-01-10 12:00:00 UTC: 3 failures in a row"]
    error = "NotRegistered: the worker does not know the task 't'"
    unknown = answered(**delivery("failed", error=error))
    assert "error" not in dict(unknown.details)


def test_a_long_lateness_is_in_minutes_as_in_tables() -> None:
    late = replace(published(), late=94.718)
    assert ", 1 min 34 s late" in dict(answered(records=[late]).details)["published"]


def test_moments_that_are_no_planned_ones_have_milliseconds_at_most() -> None:
    pause = Pause(NOON + timedelta(microseconds=123_456), "ann")
    assert "12:00:00.123 UTC, by ann" in answered(row=row(paused=True, pause=pause)).line


@pytest.mark.parametrize(
    ("queue", "more", "cause"),
    [
        (QueueState(name="q", messages=3, consumers=0), {}, "no consumer"),
        (QueueState(name="q", messages=3, consumers=2), {}, "waiting"),
        (QueueState(name="q", messages=0, consumers=2), {}, "published"),
        (QueueState(name="q", error="refused"), {"reports_seen": False}, "published"),
    ],
)
def test_a_run_that_no_worker_reported_is_looked_for_in_its_queue(
    queue: QueueState, more: dict[str, Any], cause: str
) -> None:
    answer = answered(records=[published()], queue=queue, **more)
    assert answer.cause == cause
    assert ("because no worker reports" in answer.line) == ("reports_seen" in more)


def test_a_message_that_outlived_its_expiry_in_the_queue_has_expired() -> None:
    entry = noon(options={"expires": 10})
    queue = QueueState(name="q", messages=0, consumers=1)
    assert answered(row=row(entry), records=[published()], queue=queue).cause == "expired"


def test_a_run_that_was_asked_for_names_its_origin_and_its_trace() -> None:
    answer = answered(row=row(noon(trace=True)), records=[published(origin="trigger")])
    assert dict(answer.details)["origin"] == "by hand"
    assert dict(answer.details)["trace"] == ID.replace("-", "")


def test_a_moment_before_the_entry_was_added() -> None:
    added = NOON - timedelta(days=3, minutes=7)
    for at in (NOON - timedelta(days=5), NOON - timedelta(days=5, hours=3)):
        answer = answered(at=at, added=added, records=[published()])
        assert answer.cause == "no record"
        assert answer.line == (
            "the entry was added at 2027-01-07 11:53:00 UTC; nothing could run before"
        )
    before = added - timedelta(days=9)
    earlier = replace(published(), planned=before, published=before)
    again = answered(at=NOON - timedelta(days=5), added=added, records=[published(), earlier])
    assert again.line == (
        "the entry was added at 2027-01-07 11:53:00 UTC again; "
        "the history has no record of 2027-01-05 12:00:00 UTC"
    )


def test_a_moment_before_the_oldest_record() -> None:
    at = NOON - timedelta(days=5)
    answer = answered(at=at, added=NOON - timedelta(days=9), records=[published()])
    assert answer.cause == "no record"
    assert answer.line == (
        "history before 2027-01-10 12:00:00 UTC was forgotten: older records are deleted"
    )
    unread = answered(at=at, records=[published()] * RECORDS_READ)
    assert "forgotten" not in unread.line
    assert "forgotten" not in answered(at=at).line


def test_a_backfilled_moment_before_the_entry_was_added_has_its_record() -> None:
    record = published(origin="backfill")
    answer = answered(at=NOON, added=NOW, records=[record])
    assert "added" not in answer.line


def test_moments_in_reasons_and_of_requested_runs_are_as_in_tables() -> None:
    reason = f"still running: {ID} since 2027-01-10T11:00:00+00:00"
    answer = answered(tz="Europe/Berlin", **skipped(reason))
    assert ("reason", f"still running: {ID} since 2027-01-10 12:00:00 CET") in answer.details
    near = answered(tz="Europe/Berlin", at=NOON - timedelta(hours=1), **skipped(reason))
    assert dict(near.details)["next run"].endswith(f"{ID} since 2027-01-10 12:00:00 CET")
    at = NOON - timedelta(microseconds=1)
    by_hand = published(origin="trigger")
    by_hand = replace(by_hand, planned=at, published=at)
    requested = answered(records=[by_hand], at=at)
    assert dict(requested.details)["requested"] == "2027-01-10 11:59:59.999 UTC"
