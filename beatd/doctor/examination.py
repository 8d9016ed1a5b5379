"""Everything that `beatd doctor` tries with a configuration, as probes by their subjects."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice

from celery import Celery

from beatd.catalog import Query
from beatd.clock import Clock
from beatd.config import Config
from beatd.doctor.broker import broker_findings
from beatd.doctor.finding import Finding
from beatd.doctor.http_port import http_findings
from beatd.doctor.probing import Probe
from beatd.doctor.receivers import channel_findings, result_findings
from beatd.doctor.reports import findings_of_reports
from beatd.doctor.store import daemons_in_store, lock_findings, store_findings, store_to_read
from beatd.doctor.versions import program_versions
from beatd.doctor.workers import worker_findings
from beatd.entry import Entry
from beatd.errors import BeatError

ENTRIES_MAX = 10_000  # whose queues and tasks are looked at


def probes_of(
    config: Config, app: Celery, declared: Sequence[Entry], *, clock: Clock, timeout_s: float
) -> dict[str, Probe]:
    """Return the probes in the order in which they are shown.

    `declared` are the entries that files and the app declare. `timeout_s` limits each wait for a
    server.
    """

    def workers() -> Iterable[Finding]:
        entries = {one.name: one for one in declared[:ENTRIES_MAX]}
        entries |= {one.name: one for one in _stored(config, clock, timeout_s)}
        return worker_findings(
            app,
            entries.values(),
            timeout_s,
            lambda: findings_of_reports(config, clock=clock, timeout_s=timeout_s),
            config.app or "APP",
        )

    return {
        "versions": program_versions,
        "store": lambda: store_findings(config, clock=clock, timeout_s=timeout_s),
        "lock": lambda: lock_findings(config, clock=clock, timeout_s=timeout_s),
        "broker": lambda: broker_findings(config, app, clock=clock, timeout_s=timeout_s),
        "daemons": lambda: daemons_in_store(config, clock=clock, timeout_s=timeout_s),
        "workers": workers,
        "results": lambda: result_findings(config, app),
        "alerts": lambda: channel_findings(config, timeout_s),
        "http": lambda: http_findings(config.http, timeout_s),
    }


def _stored(config: Config, clock: Clock, timeout_s: float) -> list[Entry]:
    """Return the stored entries that are due first; none from a store that is not to be opened."""
    try:
        store = store_to_read(config, clock=clock, timeout_s=timeout_s)
        if store is None:
            return []
        with closing(store.place):
            found = store.catalog.find(Query(order="next", limit=ENTRIES_MAX))
            return [row.entry for row in islice(found, ENTRIES_MAX)]
    except BeatError:  # the store's own probe says what is wrong
        return []
