"""The daemon's metrics for Prometheus.

Counters count events; gauges are set when the page is read.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from beatd import events
from beatd.observers.skip_lines import in_short
from beatd.outcome import DELIVERY_ENDS

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
RUNTIME_BUCKETS_S = (
    0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400
)  # fmt: skip

#: Outcome -> the labels `state` and `reason`.
LABELS_OF_OUTCOME = {
    "confirmed": ("published", ""),
    "rejected": ("failed", "rejected"),
    "unsent": ("open", "unsent"),
    "unknown": ("open", "unknown"),
}


class BatchHistogram(Collector):
    """A Prometheus histogram of seconds that counts the values of a whole batch at once.

    It uses no lock.
    """

    def __init__(self, name: str, text: str, buckets_s: Sequence[float] = BUCKETS_S) -> None:
        self._name, self._text, self._buckets_s = name, text, buckets_s
        self._counts = [0] * (len(buckets_s) + 1)
        self._sum = 0.0

    def add(self, seconds: Iterable[float]) -> None:
        """Count the seconds of each run of a batch."""
        for one in seconds:
            self._counts[bisect_left(self._buckets_s, one)] += 1
            self._sum += one

    def collect(self) -> Iterable[Metric]:
        """Yield the histogram in the form that prometheus_client expects."""
        edges = [*(str(float(edge)) for edge in self._buckets_s), "+Inf"]
        counts = list(zip(edges, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets=counts, sum_value=self._sum)


class Metrics:
    """Observer that counts the metrics of one daemon, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.late = BatchHistogram("beatd_lateness_seconds", "from due to confirmed by the broker")
        self.registry.register(self.late)
        self.runtime = BatchHistogram(
            "beatd_runtime_seconds", "from started to ended in a worker", RUNTIME_BUCKETS_S
        )
        self.registry.register(self.runtime)
        self.publish_seconds = self._histogram("publish_seconds", "one batch at the broker")
        self.runs = self._counter("runs_total", "occurrences by how they ended", "state", "reason")
        self.outcomes = self._counter("outcomes_total", "deliveries by how they ended", "outcome")
        self.running = self._gauge("running", "runs that workers execute, as the leader knows")
        self.reports_unknown = self._counter(
            "reports_unknown_total", "deliveries reported of runs that the store does not know"
        )
        self.reports_late = self._counter(
            "reports_late_total", "deliveries reported again after their end"
        )
        self.reports_dropped = self._counter(
            "reports_dropped_total", "reports that workers dropped while their broker was away"
        )
        self.reports_invalid = self._counter("reports_invalid_total", "reports that were invalid")
        self.store_errors = self._counter("store_errors_total", "times the store went away")
        self.broker_errors = self._counter("broker_errors_total", "times the broker went away")
        self.lock_errors = self._counter("lock_errors_total", "times the lock could not be used")
        self.leads = self._counter("leads_total", "times this daemon won the lead")
        self.went_back = self._counter("store_went_back_total", "times the store lost knowledge")
        self.incidents = self._labelled_gauge("incidents", "open incidents", "kind")
        self.alerts_sent = self._counter("alerts_sent_total", "messages about incidents", "result")
        self.overdue = self._gauge("overdue_seconds", "what a standby sees its leader owe")
        self.leader = self._gauge("leader", "1 while leading")
        self.term = self._gauge("term", "the newest term seen")
        self.tick_age = self._gauge("last_tick_age_seconds", "since the loop last turned")
        self.lease_margin = self._gauge("lease_margin_seconds", "trust left in the lease")
        self.store_ok = self._gauge("store_ok", "1 while the store answers and accepts writes")
        self.broker_ok = self._gauge("broker_ok", "1 while the broker answers")
        self.lock_ok = self._gauge("lock_ok", "1 while the lock can be used")
        self.skew = self._gauge("clock_skew_seconds", "this host's clock minus the store's")
        self.entries = self._gauge("entries", "entries in the store")

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Sent():
                self.publish_seconds.observe(event.seconds)
                ended = Counter(result.outcome.sent for result in event.results)
                for sent, count in ended.items():
                    self.runs.labels(*LABELS_OF_OUTCOME[sent]).inc(count)
                self.late.add(event.late)
            case events.Skipped():
                for _, skip in event.skips:
                    self.runs.labels("skipped", in_short(skip.reason)).inc(skip.count)
            case events.OutcomesRead():
                self._add_outcomes(event)
            case events.LeadWon():
                self.leads.inc()
                self.overdue.set(0)
                self.term.set(event.term.number)
            case events.StoreAway():
                self.store_errors.inc()
            case events.BrokerAway():
                self.broker_errors.inc()
            case events.LockAway():
                self.lock_errors.inc()
            case events.WentBack():
                self.went_back.inc()
            case events.IncidentsCounted():
                self.incidents.clear()
                for kind, count in event.counts.items():
                    self.incidents.labels(kind).set(count)
            case events.AlertSent():
                self.alerts_sent.labels("sent").inc()
            case events.AlertNotSent():
                self.alerts_sent.labels("given up" if event.final else "retried").inc()
            case events.Overdue():
                self.overdue.set(event.seconds)
            case events.OnTime():
                self.overdue.set(0)
            case _:
                pass

    def _add_outcomes(self, event: events.OutcomesRead) -> None:
        ended = [one for one in event.deliveries if one.state in DELIVERY_ENDS]
        for state, count in Counter(one.state for one in ended).items():
            self.outcomes.labels(state).inc(count)
        self.runtime.add(one.runtime for one in ended if one.runtime is not None)
        self.reports_unknown.inc(event.unknown)
        self.reports_late.inc(event.late)
        self.reports_dropped.inc(event.dropped)
        self.reports_invalid.inc(event.unreadable)
        self.running.set(event.started)

    def page(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"beatd_{name}", text, registry=self.registry, buckets=(*BUCKETS_S, math.inf)
        )

    def _counter(self, name: str, text: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(f"beatd_{name}", text, labels, registry=self.registry)

    def _labelled_gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"beatd_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"beatd_{name}", text, registry=self.registry)
