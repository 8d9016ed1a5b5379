"""Format what became of runs (succeeded, failed, …) as table cells or JSON."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from beatd.outcome import RUN_ENDS, Delivery, EntryOutcome
from beatd.schedules.duration import length_text, runtime
from beatd.schedules.moment import format_moment
from beatd.views.time_text import distance_text

if TYPE_CHECKING:
    from beatd.catalog import Stored

NOT_RECEIVED = "sent, not received"  # by a worker
UNREAD = "not known yet"
NOBODY_READS = "no daemon leads, so nobody reads the reports of workers"
PAGE = 500  # entries whose outcomes are read at once
STYLES = {
    "received": "cyan",
    "started": "cyan",
    "succeeded": "green",
    "failed": "red",
    "retried": "yellow",
    "revoked": "yellow",
    "expired": "red",
    "lost": "red",
}

Cell = str | tuple[str, str]
ReadOutcomes = Callable[[Sequence["Stored"]], Mapping[str, EntryOutcome]]


def with_outcomes(
    rows: "Iterable[Stored]", read: ReadOutcomes
) -> "Iterator[tuple[Stored, EntryOutcome | None]]":
    """Yield each entry with its newest outcome, or with None if it has none yet.

    `read` returns the outcomes of entries by name; it is called for up to PAGE entries at once.
    """
    left = iter(rows)
    while page := list(islice(left, PAGE)):
        known = read(page)
        for row in page:
            yield row, known.get(row.entry.name)


def running_since(
    row: "Stored", outcome: EntryOutcome | None, now: datetime
) -> tuple[str, datetime] | None:
    """Return the task id and the start of the entry's running run, or None if none is running, or
    if no worker has received it, or if nobody reads the reports of workers.

    The start is when a worker started the run or, for an entry whose runs must not overlap, when
    the daemon reserved the run for sending.
    """
    if outcome is not None and outcome.unread:
        return None
    running = row.running
    if running is not None and running.until > now:
        waits = outcome is not None and outcome.sent is not None
        return None if waits else (running.task_id, running.since)
    newest = outcome.newest if outcome is not None else None
    if newest is not None and newest.state == "started":
        return newest.task_id, newest.started or newest.at
    return None


def outcome_cell(row: "Stored", outcome: EntryOutcome | None, now: datetime) -> Cell:
    """Return the table cell for the newest outcome, such as ("failed ×3", "red")."""
    running = running_since(row, outcome, now)
    if running is not None:
        return f"running {length_text((now - running[1]).total_seconds()) or '0 s'}", "cyan"
    if outcome is None:
        return ""
    state = outcome.newest.state
    many = f" ×{outcome.failures}" if outcome.failures > 1 else ""
    if outcome.unread or outcome.sent is not None:
        text = UNREAD if outcome.unread else NOT_RECEIVED
        failed = outcome.failures > 0 and state in RUN_ENDS
        return f"{text}, {state}{many} before" if failed else text, "yellow"
    return f"{state}{many}", STYLES[state]


def outcome_json(row: "Stored", outcome: EntryOutcome | None, now: datetime) -> dict[str, Any]:
    """Return the newest outcome and the running run of an entry as a dict for JSON.

    "not_received" is only present if a newer run was sent that no worker has received, and "unread"
    if no daemon leads to read the reports about the newest run.
    """
    running = running_since(row, outcome, now)
    return {
        "outcome": None if outcome is None else _entry_outcome(outcome),
        "running": running and {"task_id": running[0], "since": format_moment(running[1])},
        **_not_received(outcome),
    }


def _not_received(outcome: EntryOutcome | None) -> dict[str, Any]:
    if outcome is not None and outcome.unread:
        return {"unread": True}
    sent = None if outcome is None else outcome.sent
    if sent is None:
        return {}
    return {
        "not_received": {
            "task_id": sent.task_id,
            "planned": format_moment(sent.planned),
            "published": format_moment(sent.published),
        }
    }


def _entry_outcome(outcome: EntryOutcome) -> dict[str, Any]:
    newest = outcome.newest
    return {
        "task_id": newest.task_id,
        "planned": format_moment(newest.planned),
        "at": format_moment(newest.at),
        **delivery_json(newest),
        "failures": outcome.failures,
        "successes": outcome.successes,
        "last_success": _iso(outcome.last_success),
    }


def delivery_json(delivery: Delivery | None) -> dict[str, Any]:
    """Return the state, times, worker and error of a run's delivery to a worker, as a dict for
    JSON.

    If `delivery` is None, all values are None.
    """
    if delivery is None:
        return dict.fromkeys(("outcome", "started", "finished", "runtime", "worker", "error"))
    return {
        "outcome": delivery.state,
        "started": _iso(delivery.started),
        "finished": _iso(delivery.finished),
        "runtime": delivery.runtime,
        "worker": delivery.worker or None,
        "error": delivery.error or None,
    }


def outcome_lines(
    row: "Stored", outcome: EntryOutcome | None, now: datetime
) -> Iterator[tuple[str, str, str]]:
    """Yield the lines about an entry's outcomes that `beatd show` prints, as (heading, text,
    style)."""
    running = running_since(row, outcome, now)
    if running is not None:
        task_id, since = running
        yield "running", f"since {distance_text(since - now)}, id {task_id}", "cyan"
    if outcome is None:
        return
    newest = outcome.newest
    parts: list[str] = [newest.state]
    if newest.runtime is not None:
        parts.append(f"after {runtime(newest.runtime)}")
    if newest.worker:
        parts.append(f"on {newest.worker}")
    text = f"{' '.join(parts)}, {distance_text(newest.at - now)}"
    heading = "outcome" if outcome.sent is None else "before"
    sent = "" if outcome.sent is None else f"sent {distance_text(outcome.sent.published - now)}, "
    if outcome.unread:
        yield "outcome", f"{sent}{UNREAD}: {NOBODY_READS}", "yellow"
        heading = "last report" if outcome.sent is None else "before"
    elif outcome.sent is not None:
        yield "outcome", f"{sent}not received by a worker", "yellow"
    yield heading, text, STYLES[newest.state]
    if newest.error:
        yield "error", newest.error, "red"
    if outcome.failures:
        success = outcome.last_success
        last = (
            "no success is known"
            if success is None
            else f"last success {distance_text(success - now)}"
        )
        yield "failures", f"{outcome.failures} in a row, {last}", "red"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else format_moment(moment)
