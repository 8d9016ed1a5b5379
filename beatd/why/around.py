"""Add the previous run, the next run and open incidents to an answer of `beatd why`."""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.history import Record
from beatd.planning import has_run_out, next_moment
from beatd.why.answer import Answer
from beatd.why.facts import Facts
from beatd.why.incidents_now import incident_text, incidents_now
from beatd.why.not_planned import became
from beatd.why.outage_now import outage_now
from beatd.why.published import of_published
from beatd.why.time_words import TimeWords, is_by_hand, length, moment_of_run

STOPPED = ("paused", "disabled")
IF_RESUMED = {True: "if it is resumed by then", False: "if it is enabled by then"}  # by `paused`
WITHOUT_NEXT = ("not yet", "ended", "max runs")  # it says so itself


def around(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    """Yield (heading, text) lines that add the runs around it and open incidents to an answer.

    If the question names a moment (`facts.at`), the previous and the next run are left out.
    """
    if answer.cause == "overlap":
        yield from _blocking(facts, answer, words)
    if facts.at is None:
        last = _previous(facts, answer)
        if last is not None:
            yield "previous run", f"{moment_of_run(last, words)[1]}, {became(facts, last, words)}"
        if answer.cause not in WITHOUT_NEXT:
            yield from _next(facts, answer, words)
    yield from _outage(facts, answer, words)
    said = "\n".join((answer.line, *(text for _, text in answer.details)))
    for one in incidents_now(facts):
        text = incident_text(one, said)
        known = f": {text}" if text not in said else ""
        yield "incident", f"{one.kind}, since {words.about(one.opened)}{known}"


def _previous(facts: Facts, answer: Answer) -> Record | None:
    """Return the newest run of the schedule before the moment of the answer, or None."""
    before = (
        one
        for one in facts.records
        if one.state in ("published", "failed")
        and not is_by_hand(one)
        and (answer.planned is None or one.planned < answer.planned)
    )
    return max(before, key=lambda one: one.planned, default=None)


def _outage(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    away = outage_now(facts)
    if away is None or facts.row is None or facts.at is not None:
        return
    waits = away.waits(words)
    if away.cause != answer.cause and waits not in answer.line:
        yield "now", f"every run {waits}"


def _blocking(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    blocking = next(
        (one for one in facts.records if one.task_id and one.task_id in answer.line), None
    )
    if blocking is not None and blocking.state == "published":
        of_run = of_published(replace(facts, at=blocking.planned), blocking, words)
        yield "that run", f"{of_run.cause}: {of_run.line}"


def _next(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    row = facts.row
    if row is None:
        return
    if row.plan.planned is None:
        if has_run_out(row.entry, row.runs):
            yield "next run", f"none: max_runs reached ({row.runs})"
        else:
            yield "next run", "none: its schedule has no further moment before its end"
    elif answer.cause in STOPPED:
        yield from _next_if_resumed(facts, row, words)
    elif row.plan.due is not None and row.plan.planned != answer.planned:
        yield "next run", next_run(facts, row.plan.due, words)


def _next_if_resumed(facts: Facts, row: Stored, words: TimeWords) -> Iterator[tuple[str, str]]:
    until = row.pause.until if row.paused and row.pause is not None else None
    following = next_moment(row.entry, facts.now if until is None else max(facts.now, until))
    if following is not None:
        condition = "when the pause has ended" if until is not None else IF_RESUMED[row.paused]
        yield "next run", f"{words.at(following)}, {condition}"


def next_run(facts: Facts, due: datetime, words: TimeWords) -> str:
    """Return when the next run is, and the condition for it if an outage stops all runs."""
    when = f"in {length(due - facts.now)}" if due > facts.now else "due now"
    away = outage_now(facts)
    if away is None or facts.row is None:
        return f"{words.about(due)}, {when}"
    rule = f"catch_up: {facts.row.entry.catch_up}"
    return f"{words.about(due)}, {when}, if {away.is_over} by then; else {rule} decides"
