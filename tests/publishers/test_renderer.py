"""A message from a template is, byte for byte, the one celery would have made."""

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from celery import Celery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu.utils.json import loads
from msgspec.structs import replace

from beatd.publisher import Outcome
from beatd.publishers.amqp_frames import AmqpFrames, frames
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_app import app_for
from beatd.publishers.celery_message import celerys_own
from beatd.publishers.kombu_json import KombuJson, encoding_channel, pack
from beatd.publishers.kombu_template import KombuTemplate
from beatd.publishers.message import CeleryMessage, Message, TransportTemplate
from beatd.publishers.renderer import COMPARED_ENTRIES, Renderer
from tests.publishers.runs import entry, run
from tests.typed import ALIKE, SCALARS


class Paper:
    """A transport that sends nothing."""

    def __init__(
        self,
        transport_template: Callable[[CeleryMessage], TransportTemplate],
        pack: Callable[[CeleryMessage], Any],
    ) -> None:
        self.transport_template, self.pack = transport_template, pack

    def open(self) -> str:
        return "nowhere"

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        return []

    def reachable(self) -> bool:
        return False

    def close(self) -> None: ...


APP: Celery = app_for({"url": "redis://nowhere"}, timezone="Europe/Berlin")
PRODUCER = CapturingProducer(APP.connection_for_write())
CHANNEL = encoding_channel(APP.connection_for_write().transport, {})

JSON = Renderer(
    app=APP,
    producer=PRODUCER,
    transport=Paper(
        lambda celery_message: KombuJson(CHANNEL, celery_message),
        lambda celery_message: pack(CHANNEL, celery_message),
    ),
)
FRAMES = Renderer(
    app=APP,
    producer=PRODUCER,
    transport=Paper(
        lambda celery_message: AmqpFrames(celery_message, 1),
        lambda celery_message: frames(celery_message, 1),
    ),
)
LETTERS = Renderer(
    app=APP,
    producer=PRODUCER,
    transport=Paper(KombuTemplate, lambda celery_message: celery_message),
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["%", "%b", "%%s", "100%", "\\", '"', "\n", "x" * 5000, "é☃\U0001f600"]
)
plain = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts
values = st.recursive(
    plain | st.floats(allow_nan=False) | SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
options = st.fixed_dictionaries(
    {},
    optional={
        "queue": st.sampled_from(["one", "two", "q%b", "schlange-ü"]),
        "priority": st.integers(0, 9),
        "headers": st.dictionaries(
            st.text(st.characters(codec="ascii"), min_size=1, max_size=9),
            plain | SCALARS,
            max_size=3,
        ),
        "serializer": st.sampled_from(["json", "yaml", "msgpack"]),
        "compression": st.sampled_from(["zlib", "bzip2"]),
        "time_limit": st.integers(1, 99),
        "ignore_result": st.booleans(),
        "shadow": texts,
        "delivery_mode": st.sampled_from([1, 2]),
        "reply_to": st.sampled_from(["me", "you"]),
        "link": st.just({"task": "next", "args": [1]}),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=texts.filter(bool),
    args=st.lists(values, max_size=3),
    kwargs=st.dictionaries(texts, values, max_size=3),
    options=options,
    trace=st.booleans(),
)
def test_a_printed_message_equals_celerys_own(
    name: str, args: list[Any], kwargs: dict[str, Any], options: dict[str, Any], trace: bool
) -> None:
    one = replace(entry(name, "t.any", *args, kwargs=kwargs, options=options), trace=trace)
    # The second run is from the template, and not proved any more by the renderer itself.
    first, second = run(one, nth=1), run(one, nth=2)
    for renderer in (JSON, FRAMES, LETTERS):
        made = [renderer.render([each])[0] for each in (first, second)]
        for each, message in zip((first, second), made, strict=True):
            try:
                celery_message = celerys_own(APP, PRODUCER, each)[0]
                theirs = renderer._transport.pack(celery_message)
            except Exception:
                assert isinstance(message, Outcome) and message.sent == "rejected"
                continue
            assert isinstance(message, Message), message
            assert same(message.payload, theirs), (message.payload, theirs)


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, CeleryMessage):
        bodies = [b.encode() if isinstance(b, str) else b for b in (ours.body, theirs.body)]
        return bodies[0] == bodies[1] and replace(ours, body="") == replace(theirs, body="")
    if theirs.startswith(b"{"):
        mine, its = json.loads(ours), json.loads(theirs)
        tags = [message["properties"].pop("delivery_tag") for message in (mine, its)]
        return [len(tag) for tag in tags] == [36, 36] and list(mine) == list(its) and mine == its
    return bool(ours == theirs)


def test_a_header_that_the_broker_has_no_form_for_fails_its_own_run() -> None:
    bad = entry("bad", "t.any", options={"headers": {"day": date(2027, 1, 1)}})
    good = entry("good", "t.any", options={"headers": {"at": datetime(2027, 1, 1, tzinfo=UTC)}})
    FRAMES.prepare([run(bad), run(good)])
    failed, made = FRAMES.render([run(bad), run(good)])
    assert isinstance(failed, Outcome) and failed.sent == "rejected"
    assert "entry bad: t.any cannot be sent: Table type" in failed.reason
    assert isinstance(made, Message)


def small(entry_templates_bytes: int = 2**20, templates_bytes: int = 2**20) -> Renderer:
    return Renderer(
        app=APP,
        producer=PRODUCER,
        transport=JSON._transport,
        entry_templates_bytes=entry_templates_bytes,
        templates_bytes=templates_bytes,
    )


def test_templates_are_dropped_when_they_take_too_many_bytes() -> None:
    renderer = small(100_000, 100_000)
    for n in range(200):
        renderer.render([run(entry(f"n{n}", "t.any", "x" * 1000, options={"queue": f"q{n}"}))])
        renderer.render([run(entry(f"e{n}", "t.any", n, options={"eta": "2026-11-21T00:00:00Z"}))])
    assert 0 < len(renderer._entry_templates) < 25
    assert 0 < len(renderer._celerys) < 40
    assert 0 < len(renderer._shared) < 15


def test_an_entry_has_one_template_of_the_revision_rendered_last() -> None:
    renderer = small()
    for revision in range(1, 20):
        edited = run(entry("edited", "t.any", revision), revision=revision)
        (message,) = renderer.render([edited])
        assert isinstance(message, Message)
        body = b64decode(json.loads(message.payload)["body"])
        assert json.loads(body)[0] == [revision]
    assert [kept.revision for kept in renderer._entry_templates.values()] == [19]


def test_an_entry_whose_messages_celery_makes_has_no_template_of_before() -> None:
    renderer = small()
    renderer.render([run(entry("e", "t.any"))])
    renderer.render([run(entry("e", "t.any", options={"eta": "2026-11-21T00:00:00Z"}), revision=2)])
    assert not renderer._entry_templates and dict(renderer._celerys) == {"e": 2}
    renderer.render([run(entry("e", "t.any"), revision=3)])
    assert list(renderer._entry_templates) == ["e"] and not renderer._celerys


def test_what_is_forgotten_is_built_anew() -> None:
    renderer, one = small(), run(entry("e", "t.any", 1))
    (before,) = renderer.render([one])
    renderer.forget(["e", "unknown"])
    assert not renderer._entry_templates
    (after,) = renderer.render([one])
    assert isinstance(before, Message) and isinstance(after, Message)
    assert same(after.payload, before.payload)


def test_values_that_are_equal_and_not_the_same_have_a_message_each() -> None:
    # The store was made anew under our feet, with the same names and revisions.
    of = [JSON.render([run(entry("equal", "t.any", value))])[0] for value in ALIKE]
    bodies = [b64decode(json.loads(message.payload)["body"]) for message in of]
    assert [repr(loads(body)[0]) for body in bodies] == [repr([value]) for value in ALIKE]
    assert len(set(bodies)) == len(ALIKE)


def test_headers_that_are_equal_and_not_the_same_have_a_form_each() -> None:
    for at, value in enumerate(ALIKE):
        # The first entries of a template are compared with celery's, and would show it.
        for nth in range(COMPARED_ENTRIES + 1):
            one = entry(f"header {at} {nth}", "t.headed", options={"headers": {"x": value}})
            (message,) = JSON.render([run(one)])
            assert repr(loads(message.payload)["headers"]["x"]) == repr(value)
