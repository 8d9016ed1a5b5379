"""Look at what workers report: has any of the newest runs an outcome?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from beatd.clock import Clock
from beatd.config import Config
from beatd.doctor.finding import Finding
from beatd.doctor.store import findings_in_store
from beatd.history import History
from beatd.outcome import RunStates
from beatd.store import Roles

RECORDS_READ = 200
REPORTED_WITHIN = timedelta(seconds=30)  # a younger run is not judged
WORKER_LINE = "`from beatd import worker; worker.report(app)`"
WORKER_OPTION = "`--include beatd.worker.auto`"


def findings_of_reports(config: Config, *, clock: Clock, timeout_s: float) -> Iterator[Finding]:
    """Return whether the newest runs in the store have outcomes, if workers have to report them.

    Nothing is returned if no daemon leads. Call it only if a worker runs.
    """
    if config.outcomes.read_from != "reports":
        return iter(())

    def look(store: Roles) -> Iterator[Finding]:
        if store.leader() is None:  # nobody reads the reports
            return iter(())
        return report_findings(store.history, store.outcomes, clock.now())

    return findings_in_store(config, look, clock=clock, timeout_s=timeout_s)


def report_findings(history: History, outcomes: RunStates, now: datetime) -> Iterator[Finding]:
    """Yield a warning if none of the newest runs that were sent has an outcome.

    Nothing is yielded if no run was sent more than REPORTED_WITHIN ago.
    """
    sent = [
        record.task_id
        for record in history.history(None, RECORDS_READ)
        if record.state == "published"
        and record.published is not None
        and now - record.published >= REPORTED_WITHIN
    ]
    if not sent:
        return
    if outcomes.outcomes(sent):
        yield Finding("ok", "workers", "the newest runs have outcomes")
        return
    which = "the run that was sent has no outcome"
    if len(sent) > 1:
        which = f"none of the last {len(sent)} runs that were sent has an outcome"
    yield Finding(
        "warning",
        "workers",
        f"workers run, but {which}; add {WORKER_LINE} to the Celery app, or start workers with "
        f"{WORKER_OPTION} (docs/outcomes.md)",
    )
