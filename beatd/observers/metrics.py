"""Keep the metrics for Prometheus.

Counters count events; gauges are set when the page is read.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from beatd import events
from beatd.observers.log import in_short

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)

#: Outcome -> the labels `state` and `reason`.
LABELS_OF_OUTCOME = {
    "confirmed": ("published", ""),
    "rejected": ("failed", "rejected"),
    "unsent": ("open", "unsent"),
    "unknown": ("open", "unknown"),
}


class Lateness(Collector):
    """A histogram of lateness, to which a whole batch is added without a lock for each message."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum = 0.0

    def add(self, seconds: Iterable[float]) -> None:
        """Add the lateness of each run of a batch, in seconds."""
        for late in seconds:
            self._counts[bisect_left(BUCKETS_S, late)] += 1
            self._sum += late

    def collect(self) -> Iterable[Metric]:
        """Yield the histogram in the form of prometheus_client, which calls this for each page."""
        edges = [*(str(float(edge)) for edge in BUCKETS_S), "+Inf"]
        counts = list(zip(edges, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets=counts, sum_value=self._sum)


class Metrics:
    """An observer that keeps the metrics of one daemon.

    It has its own registry, because a process may run several daemons.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.late = Lateness("beatd_lateness_seconds", "from due to confirmed by the broker")
        self.registry.register(self.late)
        self.publish_seconds = self._histogram("publish_seconds", "one batch at the broker")
        self.runs = self._counter("runs_total", "occurrences by how they ended", "state", "reason")
        self.store_errors = self._counter("store_errors_total", "times the store went away")
        self.broker_errors = self._counter("broker_errors_total", "times the broker went away")
        self.lock_errors = self._counter("lock_errors_total", "times the lock could not be used")
        self.leads = self._counter("leads_total", "times this daemon won the lead")
        self.went_back = self._counter("store_went_back_total", "times the store lost knowledge")
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
            case events.Overdue():
                self.overdue.set(event.seconds)
            case events.OnTime():
                self.overdue.set(0)
            case _:
                pass

    def page(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"beatd_{name}", text, registry=self.registry, buckets=(*BUCKETS_S, math.inf)
        )

    def _counter(self, name: str, text: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(f"beatd_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"beatd_{name}", text, registry=self.registry)
