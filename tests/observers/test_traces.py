"""Spans of runs, as a real OTLP receiver reads them."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from beatd.entry import Step
from beatd.events import Sent, Stopped
from beatd.ledger import Result
from beatd.observers.traces import TracesObserver, attributes_of
from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.run import Run
from beatd.trace import span_id, trace_id, traceparent
from tests.process import BEATD, Process
from tests.publishers.runs import always, entry, run
from tests.waiting import until

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Receiver(ThreadingHTTPServer):
    """An OTLP server that keeps the spans that it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans: list[Any] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    found = Receiver()
    monkeypatch.setenv(ENDPOINT, found.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield found
    found.shutdown()
    found.server_close()


def traced(*, trace: bool = True, **more: Any) -> Run:
    return run(replace(entry("nightly", "proj.report"), trace=trace), **more)


def sent(one: Run, outcome: Outcome, late: float = 0.25) -> Sent:
    return Sent.of([Result(one, outcome, one.due + timedelta(seconds=late))], 0.001)


def test_a_published_run_is_a_span_from_its_planned_moment_until_the_broker_confirmed_it(
    receiver: Receiver,
) -> None:
    observer, one = TracesObserver(), traced()
    observer(sent(one, Outcome("confirmed")))
    observer(Stopped())
    [span] = receiver.spans
    assert span.trace_id.hex() == trace_id(one.task_id)
    assert span.span_id.hex() == span_id(one.task_id)
    assert span.parent_span_id == b""
    planned = one.occurrence.planned
    at = datetime.fromtimestamp(span.start_time_unix_nano / 1e9, UTC)
    assert abs(at - planned) < timedelta(microseconds=2)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    values = {one.key: one.value.string_value for one in span.attributes}
    assert (values["beatd.entry"], values["celery.task_name"]) == ("nightly", "proj.report")
    assert values["messaging.message.id"] == one.task_id


def test_a_rejected_run_is_a_failed_span_with_the_brokers_words(receiver: Receiver) -> None:
    observer = TracesObserver()
    observer(sent(traced(), Outcome("rejected", "NO_ROUTE")))
    observer(Stopped())
    [span] = receiver.spans
    assert (span.status.code, span.status.message) == (2, "NO_ROUTE")


def test_the_span_of_a_canvas_is_named_by_its_tasks() -> None:
    canvas = Step(chain=(Step(task="proj.extract"), Step(task="proj.load")))
    one = run(replace(entry("nightly", ""), canvas=canvas))
    attributes = attributes_of(Result(one, Outcome("confirmed"), one.due))
    assert attributes["celery.task_name"] == "chain(proj.extract, proj.load)"


def test_runs_without_trace_and_open_claims_make_no_span(receiver: Receiver) -> None:
    observer = TracesObserver()
    observer(sent(traced(trace=False), Outcome("confirmed")))
    observer(sent(traced(), Outcome("unknown", "timed out")))
    observer(Stopped())
    assert not receiver.spans


def test_without_an_endpoint_no_span_is_made_and_no_library_is_imported() -> None:
    observer = TracesObserver({})
    observer(sent(traced(), Outcome("confirmed")))
    assert observer._spans is None


APP = """
from celery import Celery
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
CeleryInstrumentor().instrument()
app = Celery("traced", broker={broker!r})

@app.task(name="proj.report")
def report():
    pass
"""


def test_the_span_of_an_instrumented_worker_is_a_child_of_the_runs_span(
    receiver: Receiver, redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "traced.py").write_text(APP.format(broker=redis_url))
    worker = Process(
        *("-A", "traced", "worker", "--pool", "solo", "--without-mingle", "--without-gossip"),
        cwd=tmp_path,
        program=BEATD.with_name("celery"),
    )
    publisher = CeleryPublisher(app=app_for({"url": redis_url}, timezone="UTC"), timeout=30)
    try:
        [outcome] = publisher.publish([one := traced()], always)
        observer = TracesObserver()
        observer(sent(one, outcome))
        observer(Stopped())
        until(lambda: len(receiver.spans) == 2, 60, "the worker exports no span")
    finally:
        publisher.close()
        worker.close()
    ours, theirs = sorted(receiver.spans, key=lambda span: span.parent_span_id != b"")
    assert theirs.trace_id == ours.trace_id
    assert theirs.parent_span_id == ours.span_id


def test_the_ids_of_a_trace_come_from_the_task_id() -> None:
    id = "0b8f3c1e-9a51-5c7e-8d43-2f7f6a1b9c00"
    version, of_trace, of_span, flags = traceparent(id).split("-")
    assert (version, of_trace, flags) == ("00", "0b8f3c1e9a515c7e8d432f7f6a1b9c00", "01")
    assert of_span == span_id(id) and len(bytes.fromhex(of_span)) == 8
