"""Log lines about runs that workers executed."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from beatd import events
from beatd.outcome import Delivery

ENDED_BADLY = {
    "expired": "it expired before a worker started it",
    "lost": "its worker has been silent for too long",
}

NAMES_SHOWN_MAX = 20

Line = tuple[int, str, dict[str, Any]]  # level, text, facts


def lines_of_failed_runs(
    event: events.RunsFailed, time_text: Callable[[datetime], str] = datetime.isoformat
) -> list[Line]:
    """Return a log line for each failed run, and one for the number of further failed runs."""
    lines = [
        _run_failed(one, event.repeats.get(one.task_id), time_text(one.planned))
        for one in event.deliveries
    ]
    if event.more:
        runs = "run" if event.more == 1 else "runs"
        text = f"{event.more} more {runs} failed, see `beatd history`"
        lines.append((logging.WARNING, text, {"failed": event.more}))
    return lines


def _run_failed(delivery: Delivery, repeats: int | None, planned: str) -> Line:
    runtime = delivery.runtime
    after = "" if runtime is None else f" after {runtime:.3f} s"
    where = f" on {delivery.worker}" if delivery.worker else ""
    why = delivery.error or ENDED_BADLY.get(delivery.state, "")
    text = f"run {delivery.state}: {delivery.name} of {planned}{where}{after}"
    text = f"{text}: {why}" if why else text
    if repeats is not None:
        text += f"; so did {repeats} runs since the last such line" if repeats else ""
        text += "; until it changes, this is said once an hour"
    return logging.WARNING, text, {
        "entry": delivery.name, "planned": delivery.planned.isoformat(), "outcome": delivery.state,
        "task_id": delivery.task_id, "worker": delivery.worker, "error": delivery.error,
        "runtime": runtime,
    }  # fmt: skip


def lines_of_outcomes(event: events.OutcomesRead) -> list[Line]:
    """Return a warning for the log if workers dropped reports about runs, else an empty list."""
    if not event.dropped:
        return []
    text = f"workers dropped {event.dropped} reports of runs: their broker was away for too long"
    return [(logging.WARNING, text, {"dropped": event.dropped})]


def lines_of_not_received(event: events.RunsNotReceived) -> list[Line]:
    """Return a warning for the log about entries whose runs no worker receives."""
    where = f" from the queue {event.queue}" if event.queue else ""
    whose = "its last run" if len(event.names) == 1 else "their last runs"
    text = f"not received: {_names(event.names)}; no worker received {whose}{where}"
    return [(logging.WARNING, text, _facts(event))]


def lines_of_received_again(event: events.RunsReceivedAgain) -> list[Line]:
    """Return a line for the log about entries whose runs workers receive again."""
    where = f"; a worker receives runs from the queue {event.queue}" if event.queue else ""
    return [(logging.INFO, f"received again: {_names(event.names)}{where}", _facts(event))]


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN_MAX
    return ", ".join(names[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _facts(event: events.RunsNotReceived | events.RunsReceivedAgain) -> dict[str, Any]:
    return {"entry": event.names[0], "entries": len(event.names), "queue": event.queue}
