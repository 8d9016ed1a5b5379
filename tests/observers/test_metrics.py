"""The figures as Prometheus reads them."""

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from beatd.events import AlertNotSent, AlertSent, IncidentsCounted, OutcomesRead
from beatd.observers.metrics import Metrics
from beatd.outcome import Delivery


def figures(metrics: Metrics) -> dict[str, float]:
    page = metrics.page().decode()
    return {
        sample.name
        + "".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_lateness_is_a_histogram_that_prometheus_can_read() -> None:
    metrics = Metrics()
    metrics.late.add([0.0005, 0.0015, 0.004, 1000.0])
    found = figures(metrics)
    assert found["beatd_lateness_seconds_bucket{le=0.001}"] == 1
    assert found["beatd_lateness_seconds_bucket{le=0.005}"] == 3
    assert found["beatd_lateness_seconds_bucket{le=300.0}"] == 3
    assert found["beatd_lateness_seconds_bucket{le=+Inf}"] == 4
    assert found["beatd_lateness_seconds_count"] == 4
    assert found["beatd_lateness_seconds_sum"] == 1000.006


def test_outcomes_are_counted_with_their_runtime() -> None:
    metrics, start = Metrics(), datetime(2026, 3, 1, tzinfo=UTC)
    known = {"task_id": "t", "delivery": "d", "name": "e", "planned": start, "at": start}
    ended = Delivery(
        **known, state="succeeded", started=start, finished=start + timedelta(seconds=2)
    )
    lost, begun = Delivery(**known, state="lost"), Delivery(**known, state="started")
    metrics(OutcomesRead(deliveries=[ended, lost, begun], unknown=3, dropped=4, late=5, started=1))
    found = figures(metrics)
    assert found["beatd_outcomes_total{outcome=succeeded}"] == 1
    assert found["beatd_outcomes_total{outcome=lost}"] == 1
    assert "beatd_outcomes_total{outcome=started}" not in found
    assert found["beatd_runtime_seconds_sum"] == 2 and found["beatd_runtime_seconds_count"] == 1
    assert found["beatd_running"] == 1 and found["beatd_reports_late_total"] == 5
    assert found["beatd_reports_unknown_total"] == 3 and found["beatd_reports_dropped_total"] == 4


def test_open_incidents_and_the_messages_about_them_are_counted() -> None:
    metrics = Metrics()
    metrics(IncidentsCounted({"failed": 3, "late": 1}))
    metrics(IncidentsCounted({"failed": 2}))
    metrics(AlertSent("https://x", "title", 2))
    metrics(AlertNotSent("https://x", "title", "no answer", final=False))
    metrics(AlertNotSent("https://x", "title", "no answer", final=True))
    found = figures(metrics)
    assert found["beatd_incidents{kind=failed}"] == 2
    assert "beatd_incidents{kind=late}" not in found
    for result in ("sent", "retried", "given up"):
        assert found[f"beatd_alerts_sent_total{{result={result}}}"] == 1
