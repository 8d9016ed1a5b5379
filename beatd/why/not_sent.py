"""Explain why a planned run was not sent: skipped by a rule, being published, or waiting."""

from datetime import datetime

from beatd.history import Record
from beatd.ledger import OpenClaim
from beatd.overlap import STILL_RUNNING, reason_text
from beatd.why.answer import Answer, Cause
from beatd.why.facts import Facts
from beatd.why.not_planned import is_moment, stopped
from beatd.why.outage_now import outage_now
from beatd.why.time_words import TimeWords, counted, length, moment_of_run

#: How a reason of a skip begins -> its cause, and what it means.
REASONS: tuple[tuple[str, Cause, str], ...] = (
    ("still running", "overlap", ""),
    ("paused", "paused", "the entry was paused"),
    ("disabled", "disabled", "the entry was disabled"),
    ("edited", "edited", "an edit of the schedule dropped it"),
    ("removed", "removed", "the entry was removed"),
    ("resumed", "paused", "the entry was paused, and resuming makes up for nothing"),
    ("ended", "ended", "the entry's end came first"),
    ("max_runs", "max runs", "max_runs was reached"),
    ("called off", "called off", "its backfill was called off"),
    ("past when", "past when added", "it was past already when the entry was written"),
    ("unknown", "unknown", "nobody knows whether its message was sent, and on_unknown is skip"),
    ("late by", "late", ""),
    ("too old", "too old", "it was older than catch_up_window or catch_up_max allow"),
    ("missed", "missed", ""),
    ("caught up", "missed", "it was missed, and only the latest was run"),  # before 1.0
)
#: A cause in brackets at the end of a reason -> the cause of the answer.
OUTAGES: dict[str, Cause] = {
    "nobody led": "nobody leads",
    "the store was away": "store away",
    "the broker was away": "broker away",
}


def of_skip(facts: Facts, record: Record, words: TimeWords) -> Answer:
    """Return why a run was skipped: an outage if there was one, else the rule that skipped it."""
    begins = (one for one in REASONS if record.reason.startswith(one[0]))
    _, cause, meaning = next(begins, ("", "skipped", ""))
    text = f"skipped: {meaning or record.reason}"
    for outage, its_cause in OUTAGES.items():
        if record.reason.endswith(f"({outage})"):
            rule = record.reason.removesuffix(f"({outage})").strip()
            cause, text = its_cause, f"{outage} when it was due, and the catch-up rule skipped it"
            if cause in ("nobody leads", "broker away", "store away"):
                text = f"{text}: {rule}"
    if cause == "overlap":
        text = f"skipped: {_still_running(facts, record.reason, words)}"
    planned, (heading, moment) = record.planned, moment_of_run(record, words)
    least = "at least " if record.at_least else ""
    if _is_within(facts, record) and facts.at is not None:
        planned = facts.at
        count = f"{least}{counted(record.count, 'run')}"
        moment = f"{words.at(planned)} (one of {count} skipped together)"
    details = [(heading, moment), ("reason", reason_text(record.reason, words.about))]
    if record.until is not None:
        first, last = words.at(record.planned), words.at(record.until)
        details.append(("skipped", f"{least}{counted(record.count, 'run')}, {first} to {last}"))
    if record.task_id:
        details.append(("task id", record.task_id))
    return Answer(cause, text, planned, tuple(details))


def _is_within(facts: Facts, record: Record) -> bool:
    """Return True if the question names a planned moment of the record other than its first."""
    at, row = facts.at, facts.row
    if at is None or row is None or record.until is None:
        return False
    return record.planned < at <= record.until and is_moment(row.entry, at)


def _still_running(facts: Facts, reason: str, words: TimeWords) -> str:
    rule = "" if facts.row is None else f" (overlap: {facts.row.entry.overlap})"
    named = STILL_RUNNING.fullmatch(reason)
    if named is None:
        return f"an earlier run had not ended, and a newer moment waits in its place{rule}"
    claimed = words.about(datetime.fromisoformat(named["since"]))
    return f"the run {named['id']}, claimed at {claimed}, had not ended{rule}"


def of_claim(facts: Facts, record: Record, words: TimeWords) -> Answer:
    """Return the answer for a run that was reserved for sending, but maybe not sent."""
    claim = next((one for one in facts.claims if one.task_id == record.task_id), None)
    details = [moment_of_run(record, words), ("task id", record.task_id)]
    if claim is None:
        line = "it is being published now: it was claimed a moment ago"
        return Answer("claimed", line, record.planned, tuple(details))
    age = length(facts.now - claim.claimed_at)
    details.append(("claimed", f"{words.about(claim.claimed_at)}, {age} ago, term {claim.term}"))
    away = outage_now(facts)
    if away is not None:
        line = f"it was claimed {age} ago, and {away.waits(words)}"
        return Answer(away.cause, line, record.planned, tuple(details))
    if claim.unsent:
        return Answer("not sent", _not_sent(facts, age), record.planned, tuple(details))
    line = (
        f"it was claimed {age} ago, and nobody recorded whether its message was sent; "
        f"{_on_unknown(claim)}"
    )
    return Answer("claimed", line, record.planned, tuple(details))


def _not_sent(facts: Facts, age: str) -> str:
    queue = facts.queue
    if queue is not None and queue.messages:
        return (
            f"the broker has not taken its message for {age}: the queue {queue.name} has "
            f"{counted(queue.messages, 'message')}, is it full? It is tried again each second"
        )
    return f"the broker has not taken its message for {age}; it is tried again each second"


def _on_unknown(claim: OpenClaim) -> str:
    if claim.stored is not None and claim.stored.entry.on_unknown == "skip":
        return "the leader will skip it (on_unknown: skip)"
    return "the leader will send it again under the same id (on_unknown: resend)"


def waiting_plan(facts: Facts, moment: datetime, words: TimeWords) -> Answer:
    """Return why a run that is due was neither sent nor skipped yet."""
    row = facts.row
    assert row is not None and row.plan.planned is not None
    details = [("planned", words.at(moment))]
    if row.paused or not row.entry.enabled:
        return stopped(facts, row, moment, tuple(details), words)
    if row.running is not None and row.running.until > facts.now:
        ago = length(facts.now - row.running.since)
        line = (
            f"it waits for the run {row.running.task_id}, which was claimed {ago} ago and has not "
            f"ended (overlap: {row.entry.overlap})"
        )
        details.append(("waits until", f"{words.about(row.running.until)} at the latest"))
        return Answer("overlap", line, moment, tuple(details))
    if row.plan.due is not None and row.plan.due != row.plan.planned:
        details.append(("due", words.about(row.plan.due)))
    away = outage_now(facts)
    if away is not None:
        line = f"it is due, and {away.waits(words)}"
        return Answer(away.cause, line, moment, tuple(details))
    if row.plan.due is not None and row.plan.due > facts.now:
        line = f"its moment came, and jitter moves it to {words.about(row.plan.due)}"
        return Answer("not yet", line, moment, tuple(details))
    late = length(facts.now - (row.plan.due or moment))
    problems = [problem for one in facts.daemons for problem in one.problems] or [*facts.problems]
    if problems:
        line = f"it has been due for {late}, and a source cannot be applied: {problems[0]}"
        return Answer("invalid source", line, moment, tuple(details))
    line = f"it has been due for {late}, and the leader will send it"
    return Answer("due", line, moment, tuple(details))
