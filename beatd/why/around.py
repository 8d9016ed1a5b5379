"""Add the last run, the next run and open incidents to an answer of `beatd why`."""

from collections.abc import Iterator

from msgspec.structs import replace

from beatd.history import Record
from beatd.planning import has_run_out
from beatd.run_outcome import run_outcome
from beatd.why.answer import Answer
from beatd.why.facts import Facts
from beatd.why.incidents_now import incident_text, incidents_now
from beatd.why.outage_now import outage_now
from beatd.why.published import of_published
from beatd.why.time_words import TimeWords, length

WITHOUT_NEXT = ("not yet", "paused", "disabled", "ended", "max runs")  # it says so itself


def around(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    """Yield (heading, text) lines that add the last run, next run and open incidents to an answer.

    If the question names a moment (`facts.at`), the last and the next run are left out.
    """
    if answer.cause == "overlap":
        yield from _blocking(facts, answer, words)
    if facts.at is None:
        last = next((one for one in facts.records if one.state in ("published", "failed")), None)
        if last is not None and last.planned != answer.planned:
            yield "last run", f"{words.at(last.planned)}, {_became(facts, last)}"
        if answer.cause not in WITHOUT_NEXT:
            yield from _next(facts, answer, words)
    yield from _outage(facts, answer, words)
    said = "\n".join((answer.line, *(text for _, text in answer.details)))
    for one in incidents_now(facts):
        text = incident_text(one, said)
        known = f": {text}" if text not in said else ""
        yield "incident", f"{one.kind}, since {words.about(one.opened)}{known}"


def _outage(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    away = outage_now(facts)
    if away is None or facts.row is None:
        return
    since = next((one.opened for one in facts.incidents if one.kind == away[0]), None)
    known = "" if since is None else f"since {words.about(since)}"
    if away[0] == answer.cause and known:
        yield away[0], known
    elif away[0] != answer.cause and facts.at is None:
        yield "now", f"{away[1]} ({known})" if known else away[1]


def _blocking(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    blocking = next(
        (one for one in facts.records if one.task_id and one.task_id in answer.line), None
    )
    if blocking is not None and blocking.state == "published":
        of_run = of_published(replace(facts, at=blocking.planned), blocking, words)
        yield "that run", f"{of_run.cause}: {of_run.line}"


def _became(facts: Facts, record: Record) -> str:
    ended = run_outcome(facts.deliveries.get(record.task_id, ()))
    return ended.state if ended is not None else record.state


def _next(facts: Facts, answer: Answer, words: TimeWords) -> Iterator[tuple[str, str]]:
    row = facts.row
    if row is None or row.plan.planned is None:
        if row is not None and has_run_out(row.entry, row.runs):
            yield "next run", f"none: max_runs reached ({row.runs})"
        elif row is not None:
            yield "next run", "none: its schedule has no further moment before its end"
    elif row.plan.due is not None and row.plan.planned != answer.planned:
        due = row.plan.due
        when = f"in {length(due - facts.now)}" if due > facts.now else "due now"
        yield "next run", f"{words.about(due)}, {when}"
