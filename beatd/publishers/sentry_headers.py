"""Make the message headers with which a worker reports the end of a run to Sentry."""

from typing import Any

from beatd.definition.sentry_monitor import monitor_config, slug_of
from beatd.run import EPOCH, Run


def sentry_headers(run: Run) -> dict[str, Any]:
    """Return the headers that name the Sentry monitor and check-in of a run.

    The check-in has the task id, so that beatd and the worker report the same one.
    """
    return {
        "sentry-monitor-slug": slug_of(run.entry.name),
        "sentry-monitor-config": monitor_config(run.entry) or {},
        "sentry-monitor-check-in-id": run.task_id.replace("-", ""),
        "sentry-monitor-start-timestamp-s": f"{(run.due - EPOCH).total_seconds():.9f}",
    }
