"""Export an OpenTelemetry span for each run whose entry has `trace: true`.

The span lasts from the planned time until the message was published. Spans are exported only if the
environment has OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT.
"""

import logging
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from beatd import events
from beatd.canvas import what_runs
from beatd.ledger import Result
from beatd.run import micros
from beatd.trace import span_id, trace_id

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
FLUSH_MS = 500  # that the end of the daemon may wait for the last spans

log = logging.getLogger("beatd")


class TracesObserver:
    """Observer that exports the spans of one daemon. `environment` is os.environ by default.

    If opentelemetry is not installed, one warning is logged and no span is exported.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._exports = any(environment.get(name) for name in ENDPOINTS)
        self._spans: Spans | None = None

    def __call__(self, event: events.Event) -> None:
        if not self._exports:
            return
        match event:
            case events.Sent(results=results):
                traced = [one for one in results if one.run.entry.trace]
                if traced:
                    self._export(traced)
            case events.Stopped():
                if self._spans is not None:
                    self._spans.close()

    def _export(self, results: list[Result]) -> None:
        if self._spans is None:
            try:
                self._spans = Spans()
            except ImportError as error:
                self._exports = False
                log.warning("no spans are exported: %s; install beatd[traces]", error)
                return
        for result in results:
            if result.outcome.sent in ("confirmed", "rejected"):
                self._spans.add(result)


class Spans:
    """Makes and sends spans with OpenTelemetry's SDK; raises ImportError if it is not installed."""

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._ids = OccurrenceIds()
        self._provider = TracerProvider(
            id_generator=self._ids,  # type: ignore[arg-type]  # it keeps the protocol
            shutdown_on_exit=False,  # which would hold up the end of the process
            resource=Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "beatd")}),
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("beatd")

    def add(self, result: Result) -> None:
        """Export the span of a run whose message the broker accepted or rejected."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, StatusCode

        run, occurrence = result.run, result.run.occurrence
        self._ids.task_id = run.task_id
        span = self._tracer.start_span(
            f"beatd publish {what_runs(run.entry)}",
            context=Context(),  # a root: no span of this thread is its parent
            kind=SpanKind.PRODUCER,
            start_time=nanoseconds(occurrence.planned),
            attributes=attributes_of(result),
        )
        if result.outcome.sent == "rejected":
            span.set_status(StatusCode.ERROR, result.outcome.reason)
        span.end(nanoseconds(max(result.at, occurrence.planned)))

    def close(self) -> None:
        """Send the waiting spans, for at most FLUSH_MS milliseconds."""
        self._provider.force_flush(FLUSH_MS)


class OccurrenceIds:
    """Makes the OpenTelemetry ids of a run's span from the task id of the run.

    Set `task_id` before each span.
    """

    task_id = ""

    def generate_trace_id(self) -> int:
        return int(trace_id(self.task_id), 16)

    def generate_span_id(self) -> int:
        return int(span_id(self.task_id), 16)

    def is_trace_id_random(self) -> bool:
        return False


def attributes_of(result: Result) -> dict[str, Any]:
    """Return the attributes of a run's span, with OpenTelemetry's names where there are any."""
    run = result.run
    return {
        "celery.task_name": what_runs(run.entry),
        "messaging.message.id": run.task_id,
        "beatd.entry": run.entry.name,
        "beatd.planned_at": run.occurrence.planned.isoformat(timespec="microseconds"),
        "beatd.origin": run.origin,
        **({} if result.late is None else {"beatd.late_seconds": result.late}),
    }


def nanoseconds(moment: datetime) -> int:
    return micros(moment) * 1000
