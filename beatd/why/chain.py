"""Answer the question of `beatd why`, from the state of an entry and its history."""

import re
from datetime import datetime, timedelta

from msgspec.structs import replace

from beatd.errors import dotted
from beatd.history import Record
from beatd.schedules import zone
from beatd.skips_in_order import skips_in_order
from beatd.why.answer import Answer, Cause
from beatd.why.around import around, next_run
from beatd.why.facts import Facts
from beatd.why.not_planned import is_moment, not_planned
from beatd.why.not_sent import of_claim, of_skip, waiting_plan
from beatd.why.outage_now import copied_text, outage_now
from beatd.why.published import of_published
from beatd.why.time_words import TimeWords, moment_of_run

#: The causes of a newest run that went wrong by itself, which an outage of now does not hide.
WENT_WRONG: tuple[Cause, ...] = (
    "rejected", "expired", "failed", "unknown task", "worker killed", "time limit", "revoked",
    "lost",
)  # fmt: skip


def why(facts: Facts) -> Answer:
    """Return why the entry did or did not run at the moment `facts.at`.

    If `facts.at` is None, the answer is about the entry's newest moment.
    """
    words = TimeWords(zone(facts.tz))
    answer = _outage_first(facts, _answer(facts, words), words)
    answer = _with_unapplied_edit(facts, answer)
    copied = copied_text(facts, words)
    if copied and facts.at is None and not answer.line.startswith(copied):
        answer = replace(answer, line=f"{copied}; {answer.line}")
    return replace(answer, details=(*answer.details, *around(facts, answer, words)))


def _outage_first(facts: Facts, answer: Answer, words: TimeWords) -> Answer:
    # An outage stops the next run, so it comes before what became of the newest one; a newest run
    # that went wrong stays the cause.
    row, away = facts.row, outage_now(facts)
    if away is None or facts.at is not None or row is None or row.plan.due is None:
        return answer
    of_newest_run = answer.planned != row.plan.planned
    if not (of_newest_run or answer.cause == "not yet") or answer.cause == away.cause:
        return answer
    if answer.cause in WENT_WRONG:
        return replace(answer, line=f"{answer.line}; and the next run {away.waits(words)}")
    next_one = ("next run", next_run(facts, row.plan.due, words))
    line = copied_text(facts, words) or f"it {away.waits(words)}"
    return Answer(away.cause, line, row.plan.planned, (next_one,))


def _with_unapplied_edit(facts: Facts, answer: Answer) -> Answer:
    # The entry may run as before while its file has a mistake, so that an edit is not applied.
    if facts.row is None:
        return answer
    about = re.compile(rf"(?<![\w'-]){re.escape(dotted((facts.name,)))}[.:\[]")
    file = facts.row.entry.declared_at
    in_file = re.compile(rf"(?:^|/){re.escape(file)}:\d") if file else None
    lines = (*facts.problems, *(line for one in facts.daemons for line in one.problems))
    edits, problem = "its newest edit is", next(filter(about.search, lines), None)
    if problem is None and in_file is not None:
        edits, problem = f"edits of {file} are", next(filter(in_file.search, lines), None)
    if problem is None or problem in answer.line:
        return answer
    line = f"{answer.line}; but {edits} not applied"
    return replace(answer, line=line, details=(*answer.details, ("not applied", problem)))


def _answer(facts: Facts, words: TimeWords) -> Answer:
    row = facts.row
    record = None if row is None and facts.at is None else _record_of(facts)
    if record is not None:
        return _of_record(facts, record, words)
    if row is None:
        return _without_entry(facts)
    moment = facts.at if facts.at is not None else row.plan.planned
    if moment is None:
        return not_planned(facts, None, words)
    planned = row.plan.planned
    if planned is not None and planned <= moment <= facts.now and is_moment(row.entry, moment):
        return waiting_plan(facts, moment, words)
    return not_planned(facts, moment, words)


def _record_of(facts: Facts) -> Record | None:
    # Without `facts.at` this is the newest record, or None if a later run is due or the entry is
    # paused or disabled. A skipped stretch is one record.
    records = [record for record, _ in skips_in_order((one, None) for one in facts.records)]
    if (at := facts.at) is not None:
        found = next((one for one in records if _is_of(one, at)), None)
        if found is None and (facts.row is None or not is_moment(facts.row.entry, at)):
            return next((one for one in records if _has_time(facts, one, at)), None)
        return found
    newest = max(records, key=last_moment, default=None)
    row = facts.row
    due = None if row is None else row.plan.planned
    stopped = row is not None and (row.paused or not row.entry.enabled)
    if due is not None and (due <= facts.now or stopped or newest is None):
        return None
    return newest


def _is_of(record: Record, at: datetime) -> bool:
    # A run by hand has a moment with microseconds, which nobody types and no table shows.
    return _shows(at, record.planned) or record.planned <= at <= last_moment(record)


def _has_time(facts: Facts, record: Record, at: datetime) -> bool:
    """Return True if the run was published, or received by a worker, at `at`."""
    deliveries = facts.deliveries.get(record.task_id, ())
    times = (record.published, *(one.received for one in deliveries))
    return any(time is not None and _shows(at, time) for time in times)


def _shows(at: datetime, moment: datetime) -> bool:
    """Return True if `at` is this moment, cut to its milliseconds or its second."""
    step = timedelta(milliseconds=1) if at.microsecond else timedelta(seconds=1)
    return at.microsecond % 1000 == 0 and at <= moment < at + step


def last_moment(record: Record) -> datetime:
    return record.planned if record.until is None else record.until


def _of_record(facts: Facts, record: Record, words: TimeWords) -> Answer:
    match record.state:
        case "published":
            return of_published(facts, record, words)
        case "claimed":
            return of_claim(facts, record, words)
        case "failed":
            line = f"the broker refused the message: {record.reason}"
            if record.reason.startswith("entry "):
                line = f"no message could be made: {record.reason}"
            return Answer("rejected", line, record.planned, _planned(record, words))
        case _:
            return of_skip(facts, record, words)


def _planned(record: Record, words: TimeWords) -> tuple[tuple[str, str], ...]:
    return (moment_of_run(record, words), ("task id", record.task_id))


def _without_entry(facts: Facts) -> Answer:
    if facts.problems:
        line = f"there is no entry {facts.name!r}, and a source is invalid: {facts.problems[0]}"
        return Answer("invalid source", line, facts.at, _problems(facts))
    if facts.records:
        line = f"the entry {facts.name!r} was removed; the history still has records of it"
        return Answer("removed", line, facts.at)
    return Answer("unknown entry", f"there is no entry {facts.name!r}", facts.at)


def _problems(facts: Facts) -> tuple[tuple[str, str], ...]:
    return tuple(("invalid", problem) for problem in facts.problems[1:10])
