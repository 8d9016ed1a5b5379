"""The figures for Prometheus: counted from events, read from the daemon when they are asked for."""

import math
from collections import Counter

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from beatd import events
from beatd.observers.log import by_hand, lateness

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


ENDS = {
    "confirmed": ("published", ""),
    "rejected": ("failed", "rejected"),
    "unsent": ("open", "unsent"),
    "unknown": ("open", "unknown"),
}


class Metrics:
    """Has a registry of its own, so that several daemons in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.late = self._histogram("lateness_seconds", "from due to confirmed by the broker")
        self.took = self._histogram("publish_seconds", "one batch at the broker")
        self.runs = self._counter("runs_total", "occurrences by how they ended", "state", "reason")
        self.store_errors = self._counter("store_errors_total", "times the store went away")
        self.broker_errors = self._counter("broker_errors_total", "times the broker went away")
        self.leads = self._counter("leads_total", "times this daemon won the lead")
        self.went_back = self._counter("store_went_back_total", "times the store lost knowledge")
        self.overdue = self._gauge("overdue_seconds", "what a standby sees its leader owe")
        self.leader = self._gauge("leader", "1 while leading")
        self.term = self._gauge("term", "the newest term seen")
        self.tick_age = self._gauge("last_tick_age_seconds", "since the loop last turned")
        self.lease_margin = self._gauge("lease_margin_seconds", "trust left in the lease")
        self.store_ok = self._gauge("store_ok", "1 while the store answers")
        self.broker_ok = self._gauge("broker_ok", "1 while the broker answers")
        self.skew = self._gauge("clock_skew_seconds", "this host's clock minus the store's")
        self.entries = self._gauge("entries", "entries in the store")

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Sent():
                self.took.observe(event.seconds)
                ended = Counter(result.outcome.sent for result in event.results)
                for sent, count in ended.items():
                    self.runs.labels(*ENDS[sent]).inc(count)
                for result in event.results:
                    if result.outcome.sent == "confirmed" and not by_hand(result):
                        self.late.observe(lateness(result))
            case events.Skipped():
                # The reason's first words: a label must not carry figures that never repeat.
                reason = event.skip.reason.split(" by ")[0]
                self.runs.labels("skipped", reason).inc(event.skip.count)
            case events.LeadWon():
                self.leads.inc()
                self.term.set(event.term.number)
            case events.StoreAway():
                self.store_errors.inc()
            case events.BrokerAway():
                self.broker_errors.inc()
            case events.WentBack():
                self.went_back.inc()
            case events.Overdue():
                self.overdue.set(event.seconds)
            case _:
                pass

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"beatd_{name}", text, registry=self.registry, buckets=(*SECONDS, math.inf)
        )

    def _counter(self, name: str, text: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(f"beatd_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"beatd_{name}", text, registry=self.registry)
