"""The headers with which Sentry's integration in a worker completes the check-in of a run."""

from typing import Any

from beatd.definition.sentry_monitor import monitor_config, slug_of
from beatd.run import EPOCH, Run


def sentry_headers(run: Run) -> dict[str, Any]:
    """Return the headers that identify the Sentry monitor and the check-in of a run. The id of the
    check-in is the task id, so that beatd and the worker report the same check-in."""
    return {
        "sentry-monitor-slug": slug_of(run.entry.name),
        "sentry-monitor-config": monitor_config(run.entry) or {},
        "sentry-monitor-check-in-id": run.task_id.replace("-", ""),
        "sentry-monitor-start-timestamp-s": f"{(run.due - EPOCH).total_seconds():.9f}",
    }
