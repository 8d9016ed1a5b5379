"""Explain why an entry has no run at a moment, such as a schedule that ended or a pause."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.entry import Entry
from beatd.history import Record
from beatd.overlap import reason_text
from beatd.planning import earlier, has_run_out, moment_before, next_moment
from beatd.run import MICROSECOND
from beatd.run_outcome import run_outcome
from beatd.schedules import describe, schedule_from, zone
from beatd.why.answer import Answer
from beatd.why.facts import RECORDS_READ, Facts
from beatd.why.time_words import TimeWords, is_by_hand, length

CLOCK_CHANGE_MAX = timedelta(hours=3)  # so far from the moment in question lies a moved run
LOOK_BACK = timedelta(days=366)


def not_planned(facts: Facts, moment: datetime | None, words: TimeWords) -> Answer:
    """Return why the entry has no run at `moment`, or no next run if `moment` is None."""
    row = facts.row
    assert row is not None, "an entry without a row has no plan"
    details: tuple[tuple[str, str], ...] = (("schedule", schedule_words(row.entry)),)
    if facts.at is not None:
        if row.entry.tz != facts.tz:  # the schedule names times of its own zone
            details += ((f"in {row.entry.tz}", TimeWords(zone(row.entry.tz)).at(facts.at)),)
        details += nearest(row.entry, facts.at, facts, words)
    if moment is not None and (line := _before_it_was_added(facts, moment, words)):
        return Answer("no record", line, moment, details)
    if moment is None or _is_after_last_run(row, moment) or not is_moment(row.entry, moment):
        return _no_moment(facts, row, moment, details, words)
    if row.paused or not row.entry.enabled:
        return stopped(facts, row, moment, details, words)
    if moment > facts.now:
        away = length(moment - facts.now)
        line = f"its moment has not come: {words.at(moment)} is {away} ahead"
        return Answer("not yet", line, moment, details)
    if (oldest := _oldest_kept(facts)) is not None and moment < oldest:
        line = f"history before {words.about(oldest)} was forgotten: older records are deleted"
        return Answer("no record", line, moment, (*details, *_edited(facts, row, words)))
    line = (
        f"{words.at(moment)} is a moment of the schedule as it is now, but the history has no "
        "record of it: the entry was added or edited later, or its record was deleted"
    )
    return Answer("no record", line, moment, (*details, *_edited(facts, row, words)))


def _before_it_was_added(facts: Facts, moment: datetime, words: TimeWords) -> str:
    """Return the line about a moment before the entry was added, or "" if it is none.

    An entry that was removed and added again may have run before.
    """
    added = facts.added
    if added is None or moment >= added:
        return ""
    line = f"the entry was added at {words.about(added)}"
    if any(one.published is not None and one.published < added for one in facts.records):
        return f"{line} again; the history has no record of {words.at(moment)}"
    return f"{line}; nothing could run before"


def _oldest_kept(facts: Facts) -> datetime | None:
    """Return the moment of the entry's oldest record, or None if not all of them were read."""
    if not 0 < len(facts.records) < RECORDS_READ:
        return None
    return min(one.planned for one in facts.records)


def _no_moment(
    facts: Facts,
    row: Stored,
    moment: datetime | None,
    details: tuple[tuple[str, str], ...],
    words: TimeWords,
) -> Answer:
    entry = row.entry
    if has_run_out(entry, row.runs) and (moment is None or _is_after_last_run(row, moment)):
        line = f"max_runs reached: it has had its {row.runs} runs"
        return Answer("max runs", line, moment, details)
    if entry.end is not None and (moment or facts.now) > entry.end:
        line = f"its end, {words.at(entry.end)}, has passed"
        return Answer("ended", line, moment, details)
    if moment is None:
        return Answer("ended", "its schedule has no further moment", moment, details)
    if entry.start is not None and moment < entry.start:
        line = f"its start, {words.at(entry.start)}, had not come"
        return Answer("not started", line, moment, details)
    if facts.problems:
        line = f"a source is invalid, so its changes are not applied: {facts.problems[0]}"
        return Answer("invalid source", line, moment, details)
    skipped = _skipped_by_clock(entry, moment)
    if skipped is not None:
        line = (
            "the clock skipped its time (DST), and the entry has dst_gap: skip; with dst_gap: run "
            f"it would have run at {words.at(skipped)}"
        )
        return Answer("clock change", line, moment, details)
    line = f"the schedule has no moment at {words.at(moment)}: it is {schedule_words(entry)}"
    edited = _edited(facts, row, words)
    if edited:
        line = f"{line}; {edited[0][1]}"
    return Answer("not planned", line, moment, (*details, *edited))


def stopped(
    facts: Facts,
    row: Stored,
    moment: datetime | None,
    details: tuple[tuple[str, str], ...],
    words: TimeWords,
) -> Answer:
    """Return the answer that the entry is paused or disabled, with time and author if known."""
    state: Literal["paused", "disabled"] = "paused" if row.paused else "disabled"
    line = f"the entry is {state}"
    if row.paused and (pause := row.pause) is not None:
        line = f"{line} since {words.about(pause.at)}, by {pause.by}"
        if pause.until is not None:
            line = f"{line}, until {words.about(pause.until)}"
        line = f"{line}: {pause.note}" if pause.note else line
    elif not row.paused:
        if row.entry.declared_at:
            line = f"{line} in {row.entry.declared_at}"
        if (change := facts.disabled) is not None:
            line = f"{line} since {words.about(change.at)}, by {change.author.name}"
            line = f"{line}: {change.author.note}" if change.author.note else line
    return Answer(state, line, moment, details)


def _is_after_last_run(row: Stored, moment: datetime) -> bool:
    return has_run_out(row.entry, row.runs) and (row.last is None or row.last < moment)


def is_moment(entry: Entry, moment: datetime) -> bool:
    """Return True if the entry's schedule has a run exactly at `moment`."""
    return next_moment(entry, earlier(moment, MICROSECOND)) == moment


def nearest(
    entry: Entry, moment: datetime, facts: Facts, words: TimeWords
) -> tuple[tuple[str, str], ...]:
    """Return the scheduled runs before and after `moment` with what became of each, as (heading,
    text) pairs."""
    following = next_moment(entry, moment)
    first = next_moment(entry, earlier(moment, LOOK_BACK))
    found: list[tuple[str, str]] = []
    if first is not None and first < moment:
        before = moment_before(entry, first, moment, lambda schedule, at: schedule.next_after(at))
        found.append(("previous run", f"{words.at(before)}, {_near(facts, before, words)}"))
    if following is not None:
        found.append(("next run", f"{words.at(following)}, {_near(facts, following, words)}"))
    return tuple(found)


def _near(facts: Facts, moment: datetime, words: TimeWords) -> str:
    record = next((one for one in facts.records if _covers(one, moment)), None)
    if record is not None:
        return became(facts, record, words)
    row = facts.row
    if moment > facts.now:
        if row is not None and has_run_out(row.entry, row.runs):
            return f"not run: max_runs reached ({row.runs})"
        return f"in {length(moment - facts.now)}"
    is_due = row is not None and row.plan.planned is not None and row.plan.planned <= moment
    return "due" if is_due else "without a record"


def _covers(record: Record, moment: datetime) -> bool:
    return not is_by_hand(record) and record.planned <= moment <= (record.until or record.planned)


def became(facts: Facts, record: Record, words: TimeWords) -> str:
    """Return what became of a run: its outcome with its error, its state, or why it was skipped."""
    ended = run_outcome(facts.deliveries.get(record.task_id, ()))
    if ended is None:
        reason = reason_text(record.reason, words.about)
        return f"{record.state}: {reason}" if reason else record.state
    return f"{ended.state}: {ended.error}" if ended.error else ended.state


def schedule_words(entry: Entry) -> str:
    """Return the entry's schedule and its time zone in words."""
    words = describe(entry.schedule, entry.tz)
    return words if entry.tz in words else f"{words}, {entry.tz}"


def _skipped_by_clock(entry: Entry, moment: datetime) -> datetime | None:
    # The result is when a run near `moment` would have been, if a DST change skipped it.
    if entry.dst_gap != "skip":
        return None
    schedule = schedule_from(
        entry.schedule.plain(), name=entry.name, tz=entry.tz, dst_gap="run", dst_fold=entry.dst_fold
    )
    run = replace(entry, schedule=schedule, dst_gap="run")
    at = next_moment(run, moment - CLOCK_CHANGE_MAX)
    while at is not None and at <= moment + CLOCK_CHANGE_MAX:
        if not is_moment(entry, at):
            return at
        at = next_moment(run, at)
    return None


def _edited(facts: Facts, row: Stored, words: TimeWords) -> tuple[tuple[str, str], ...]:
    for record in facts.records:
        if record.state == "skipped" or is_by_hand(record):
            continue
        if is_moment(row.entry, record.planned):
            return ()
        line = f"the schedule was edited after its run at {words.at(record.planned)}"
        return (("edited", line),)
    return ()
