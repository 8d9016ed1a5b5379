"""The figures as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from beatd.observers.metrics import Metrics


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
