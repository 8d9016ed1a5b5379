"""Find reasons why an entry's `overlap` rule, which limits simultaneous runs, may not work."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from beatd.canvas import ends_in_group, kind_of
from beatd.cli.moment_gaps import gaps_ahead
from beatd.entry import Entry
from beatd.errors import BeatError, Problem
from beatd.schedules.duration import format_duration

if TYPE_CHECKING:
    from celery import Celery

    from beatd.config import Config


class OverlapFacts(Struct, frozen=True):
    """The parts of a configuration that decide whether an `overlap` rule can work.

    `no_remote_control` is why workers cannot be remote-controlled, or "" if they can.
    `reads_outcomes` is True if a daemon reads what became of runs, and `reads_results` if it reads
    that from the result backend.
    """

    no_remote_control: str = ""
    reads_outcomes: bool = True
    reads_results: bool = False


def overlap_facts(entries: Iterable[Entry], config: "Config", app: "Celery | None") -> OverlapFacts:
    """Return the facts that decide whether the `overlap` rules of the entries can work."""
    reads_outcomes = config.outcomes.read_from != "off"
    reads_results = config.outcomes.read_from == "results"
    if all(entry.overlap != "replace" for entry in entries):
        return OverlapFacts(reads_outcomes=reads_outcomes, reads_results=reads_results)
    from beatd.publishers.remote_control import remote_control_missing
    from beatd.wiring.build import celery_app

    try:
        missing = remote_control_missing(app or celery_app(config))
    except BeatError:
        missing = ""  # reported as a problem of the app or of the broker
    return OverlapFacts(missing, reads_outcomes, reads_results)


def overlap_warnings(entry: Entry, facts: OverlapFacts, now: datetime) -> Iterator[Problem]:
    """Yield a warning for each reason why the `overlap` rule of the entry may not work.

    A group whose end no daemon learns is among them, also without such a rule.
    """
    if facts.reads_results and entry.canvas is not None and ends_in_group(entry.canvas):
        ends = "has" if entry.canvas.group else "ends in a group, which has"
        text = (
            f"{ends} no result of its own, so nobody learns how its runs end; "
            "set outcomes: {from: reports}"
        )
        yield Problem(text, (kind_of(entry.canvas),), warning=True)
    if entry.overlap == "allow" or entry.max_run is None:
        return
    longest = format_duration(entry.max_run)
    if entry.overlap == "replace" and facts.no_remote_control:
        text = (
            f"replace ends the running task by remote control, and {facts.no_remote_control}; "
            "use queue or skip, or another broker (redis:// or amqp://)"
        )
        yield Problem(text, ("overlap",), warning=True)
    if not facts.reads_outcomes:
        text = (
            f"{entry.overlap} never learns that a run ended, as outcomes are off: each run counts "
            f"as running for max_run ({longest}); set outcomes: {{from: reports}}"
        )
        yield Problem(text, ("overlap",), warning=True)
    if entry.overlap == "queue":
        gaps = gaps_ahead(entry, now)
        if gaps and entry.max_run < min(gaps):
            period = format_duration(min(gaps))
            text = (
                f"{longest} is shorter than the {period} between two moments: a run that no worker "
                "reports, such as one that waits in the broker, no longer counts at the next "
                f"moment, so runs can pile up; give {period} or more"
            )
            yield Problem(text, ("max_run",), warning=True)
