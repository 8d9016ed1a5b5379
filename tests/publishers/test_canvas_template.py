"""The messages of a canvas from a template are, byte for byte, those of celery itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from celery import Celery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers import canvas_template
from beatd.publishers.amqp_frames import AmqpFrames, FramesOfRun, frames
from beatd.publishers.canvas_message import canvas_messages
from beatd.publishers.canvas_renderer import COMPARED_ENTRIES
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.kombu_json import KombuJson, KombuJsonOfRun, encoding_channel, pack
from beatd.publishers.message import CeleryMessage, Message, RunTemplate, TransportTemplate
from beatd.publishers.renderer import Renderer
from beatd.run import Run
from tests.publishers.canvas_likeness import entry_of
from tests.publishers.canvases import CANVASES, step
from tests.publishers.runs import run

APP = Celery("any", broker="redis://nowhere", backend="db+sqlite://", set_as_current=False)
APP.conf.task_create_missing_queues = True
PRODUCER = CapturingProducer(APP.connection_for_write())
CHANNEL = encoding_channel(APP.connection_for_write().transport, {})


class Nowhere:
    """A transport that encodes messages, and sends nothing."""

    def open(self) -> str:
        return "nowhere"

    def send(self, messages: Sequence[Message], may_go_on: Any) -> list[Outcome]:
        return []

    def reachable(self) -> bool:
        return False

    def close(self) -> None: ...


class ToRedis(Nowhere):
    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate:
        return KombuJson(CHANNEL, celery_message)

    def run_template(self, celery_message: CeleryMessage, places: Mapping[str, int]) -> RunTemplate:
        return KombuJsonOfRun(CHANNEL, celery_message, places)

    def pack(self, celery_message: CeleryMessage) -> bytes:
        return pack(CHANNEL, celery_message)


class ToRabbitMQ(Nowhere):
    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate:
        return AmqpFrames(celery_message, 1)

    def run_template(self, celery_message: CeleryMessage, places: Mapping[str, int]) -> RunTemplate:
        return FramesOfRun(celery_message, 1, places)

    def pack(self, celery_message: CeleryMessage) -> bytes:
        return frames(celery_message, 1)


TRANSPORTS = {"redis": ToRedis(), "rabbitmq": ToRabbitMQ()}


def renderer_to(transport: Any, app: Celery = APP) -> Renderer:
    return Renderer(app=app, producer=PRODUCER, transport=transport)


def templates(renderer: Renderer) -> list[str]:
    return list(renderer._canvases._templates)


def payloads(renderer: Renderer, one: Run) -> list[Any]:
    (made,) = renderer.render([one])
    assert isinstance(made, Message), made
    return [without_tag(part.payload) for part in (made, *made.rest)]


def celerys(renderer: Renderer, one: Run) -> list[Any]:
    messages, _ = canvas_messages(renderer._app, PRODUCER, one)
    return [without_tag(renderer._transport.pack(message)) for message in messages]


def without_tag(payload: bytes) -> Any:
    if not payload.startswith(b"{"):
        return payload
    message = json.loads(payload)
    assert len(message["properties"].pop("delivery_tag")) == 36
    return list(message), message


@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("kind", TRANSPORTS)
@pytest.mark.parametrize("name", CANVASES)
def test_messages_from_a_template_equal_celerys_own(name: str, kind: str, trace: bool) -> None:
    pair, renderer = CANVASES[name], renderer_to(TRANSPORTS[kind])
    entry = replace(entry_of(pair.plain, pair.options), trace=trace)
    renderer.prepare([run(entry)])
    messages, _ = canvas_messages(APP, PRODUCER, run(entry))
    waits = any(message.headers["eta"] for message in messages)  # for the end of a chord
    timed = "countdown" in str(pair) or "expires" in str(pair) or waits
    own = timed or "stamped_headers" in str(pair)
    assert templates(renderer) == ([] if own else [entry.name])
    if not timed:
        for nth in range(3):
            one = run(entry, nth=nth)
            assert payloads(renderer, one) == celerys(renderer, one)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["%", "\\", '"', "\n", "x" * 9000, "é☃\U0001f600", "2026-11-28T12:00:00.000000+00:00"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
steps = st.builds(
    lambda args, kwargs, immutable, options: step(
        "t.any", *args, kwargs=kwargs, immutable=immutable, options=options
    ),
    st.lists(values, max_size=2),
    st.dictionaries(texts.filter(bool), values, max_size=2),
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "queue": st.sampled_from(["one", "q%b"]),
            "priority": st.integers(0, 9),
            "headers": st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
            "serializer": st.sampled_from(["json", "msgpack"]),
        },
    ),
)
canvases = st.one_of(
    st.fixed_dictionaries({"chain": st.lists(steps, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"group": st.lists(steps, min_size=1, max_size=4)}),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plain=canvases, serializer=st.sampled_from(["json", "msgpack"]))
def test_any_canvas_is_made_as_celery_makes_it(plain: dict[str, Any], serializer: str) -> None:
    entry = entry_of(plain, {"serializer": serializer})
    for transport in TRANSPORTS.values():
        renderer = renderer_to(transport)
        renderer._canvases._compared[("t.any",)] = 2  # nothing but this test compares
        one, other = run(entry, nth=1), run(entry, nth=2)
        assert payloads(renderer, one) == celerys(renderer, one)
        assert payloads(renderer, other) == celerys(renderer, other)
        assert templates(renderer) == [entry.name]


arguments = st.tuples(values, values, values)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["chain", "group"]),
    both=st.lists(arguments, min_size=2, max_size=2),
    names=st.lists(texts.filter(bool), min_size=2, max_size=2),
)
def test_entries_that_differ_in_names_and_arguments_share_what_celery_made(
    kind: str, both: list[tuple[Any, Any, Any]], names: list[str]
) -> None:
    entries = [
        replace(
            entry_of({kind: [step("a", one), step("b", other, kwargs={"k": last})]}, {}), name=name
        )
        for name, (one, other, last) in zip(names, both, strict=True)
    ]
    for transport in TRANSPORTS.values():
        renderer = renderer_to(transport)
        renderer._canvases._compared["a", "b"] = 2  # nothing but this test compares
        for entry in entries:
            one = run(entry)
            assert payloads(renderer, one) == celerys(renderer, one)
        assert len(renderer._canvases._shapes) == 1


def test_celery_makes_the_messages_of_a_few_among_many_like_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = list[str]()

    def counted(app: Celery, producer: CapturingProducer, run: Run, *more: Any) -> Any:
        made.append(run.entry.name)
        return canvas_messages(app, producer, run, *more)

    monkeypatch.setattr(canvas_template, "canvas_messages", counted)
    renderer = renderer_to(TRANSPORTS["redis"])
    for nth in range(20):
        renderer.prepare([run(entry_of({"chain": [step("a", nth), step("b")]}, {}))])
        renderer.prepare([run(replace(CHAIN, name=f"chain {nth}"))])
    assert len(made) == 2 * (1 + COMPARED_ENTRIES)


CHAIN = entry_of({"chain": [step("a", 1), step("b"), step("c")]}, {})


@pytest.mark.parametrize(
    "entry",
    [
        entry_of({"chain": [step("a"), step("b", options={"countdown": 5})]}, {}),
        entry_of({"chain": [step("a"), step("b")]}, {"expires": 5}),
        entry_of({"chain": [step("a"), step("b")]}, {"compression": "zlib"}),
        entry_of({"group": [step("a"), step("b", options={"eta": "2026-11-28T12:00:00Z"})]}, {}),
    ],
    ids=["countdown", "expires", "compression", "eta"],
)
def test_without_a_template_celery_makes_the_messages(entry: Entry) -> None:
    renderer = renderer_to(TRANSPORTS["redis"])
    renderer.prepare([run(entry)])
    assert templates(renderer) == []
    made = renderer.render([run(entry)])[0]
    assert isinstance(made, Message)


def test_code_of_a_project_that_makes_messages_is_always_called() -> None:
    app = Celery("own", broker="redis://nowhere", set_as_current=False)

    @app.task(name="b", bind=True, shared=False)
    def b(self: Any) -> None: ...

    type(app.tasks["b"]).apply_async = lambda self, *args, **kwargs: None  # type: ignore[method-assign]
    renderer = renderer_to(TRANSPORTS["redis"], app)
    renderer.prepare([run(CHAIN)])
    assert templates(renderer) == []


def test_a_difference_to_celerys_own_ends_templates_for_these_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renderer = renderer_to(TRANSPORTS["redis"])
    with monkeypatch.context() as patch:
        patch.setattr(KombuJsonOfRun, "render", lambda self, values: b"%d" % id(self))
        assert payloads_are_celerys(renderer, CHAIN)
    assert payloads_are_celerys(renderer, replace(CHAIN, name="another"))
    assert templates(renderer) == []


def payloads_are_celerys(renderer: Renderer, entry: Entry) -> bool:
    one = run(entry)
    return payloads(renderer, one) == celerys(renderer, one)


def test_an_edited_entry_gets_a_new_template() -> None:
    renderer = renderer_to(TRANSPORTS["redis"])
    payloads(renderer, run(CHAIN))
    edited = entry_of({"chain": [step("a", True), step("b"), step("c")]}, {})
    for entry, revision in ((edited, 2), (CHAIN, 2), (edited, 2)):  # a store that was emptied
        one = run(entry, revision=revision)
        assert payloads(renderer, one) == celerys(renderer, one)


def test_templates_take_a_limited_memory() -> None:
    renderer = renderer_to(TRANSPORTS["redis"])
    renderer._canvases._templates.limit = 100_000
    for nth in range(60):
        payloads(renderer, run(replace(CHAIN, name=f"chain {nth}")))
    assert 0 < len(templates(renderer)) < 60
    assert renderer._canvases._templates.size <= 100_000
    renderer.forget(templates(renderer))
    assert templates(renderer) == []
