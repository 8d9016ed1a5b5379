"""Make the messages of a canvas once, and reuse them for all runs of its entry.

From run to run only ids and the planned moment change, and all of them have a fixed length. Each id
is made from the id of the run and a text.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from celery import Celery
from msgspec import Struct
from msgspec.structs import replace

from beatd.canvas import names_in, parts_of, tasks_of
from beatd.entry import Entry, Step
from beatd.publishers.canvas_message import canvas_messages
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.encoder import Encoder
from beatd.publishers.message import CeleryMessage, Message, Route, RunTemplate, Transport
from beatd.publishers.placeholders import TAG
from beatd.publishers.run_arguments import has_marks
from beatd.publishers.run_ids import RunIds
from beatd.publishers.template import plain_app, plain_options, plain_task
from beatd.run import Run
from beatd.trace import traceparent

MOMENTS = {"eta", "expires", "countdown"}  # options that give another value for each run
NO_TRACE = "no trace"  # in no message: LIKE_A_MARK does not match it
FIRST_YEAR = datetime(1000, 1, 1, tzinfo=UTC)
YEARS_S = 500 * 365 * 86_400  # no argument of a task has one of these moments by chance


class PartTemplate(Struct, frozen=True):
    """One message of a canvas; its id is the value at `id_place`."""

    route: Route
    template: RunTemplate
    id_place: int


class CanvasTemplate(Struct, frozen=True):
    """The messages of one entry with gaps for the values of a run.

    The ids of a run are made from `texts`. `size` is an estimate in bytes.
    """

    entry: Entry
    revision: int
    texts: Sequence[str]
    parts: Sequence[PartTemplate]
    size: int

    def render(self, run: Run) -> Message:
        """Return the messages of a run: the first, with the others in `rest`."""
        # A delivery tag is a unique text in the form of a uuid.
        tag, ids = str(uuid4())[:24], RunIds(run.task_id)
        values = _values(run, [ids.of(text) for text in self.texts])
        first, *rest = (
            Message(
                part.route,
                part.template.render((b"%b%012x" % (tag.encode(), nth), *values)),
                values[part.id_place - 1].decode(),
            )
            for nth, part in enumerate(self.parts)
        )
        return replace(first, rest=tuple(rest)) if rest else first


class Probe(Struct, frozen=True):
    """The messages that celery made for a run with a random id and moment, to find these in them.

    `texts` has for each id the text from which it was made.
    """

    run: Run
    texts: Mapping[str, str]
    messages: Sequence[CeleryMessage]


def probe_of(app: Celery, producer: CapturingProducer, run: Run) -> Probe | None:
    """Return the messages of a run with another id and moment; None if no template is possible.

    Raises Unbuildable if celery cannot make the messages.
    """
    if not _is_plain(app, run):
        return None
    moment = FIRST_YEAR + timedelta(seconds=random.uniform(0, YEARS_S))
    planned = replace(run.occurrence, planned=moment)
    ids = RunIds(str(uuid4()))
    probe = replace(run, task_id=ids.run_id, occurrence=planned)
    messages, effects = canvas_messages(app, producer, probe, ids)
    # Celery sets a moment for the task that waits for the end of a chord. In a compressed body no
    # id can be found.
    changing = ("eta", "expires", "compression")
    if effects or any(one.headers.get(name) for one in messages for name in changing):
        return None
    return Probe(probe, ids.texts, messages)


def canvas_template(
    transport: Transport, encoder: Encoder, run: Run, probe: Probe
) -> CanvasTemplate | None:
    """Return a template for the entry of this run; None if the transport has none.

    `probe` has the messages of the entry.
    """
    marks = [TAG, *(value.decode() for value in _values(probe.run, list(probe.texts)))]
    places = {mark: place for place, mark in enumerate(marks)}
    parts, size = [], 1000
    for message in probe.messages:
        template = transport.run_template(message, places)
        if template is None or message.headers["id"] not in places:
            return None
        parts.append(PartTemplate(encoder.route(message), template, places[message.headers["id"]]))
        size += 2000 + 2 * len(message.body)
    return CanvasTemplate(run.entry, run.revision, list(probe.texts.values()), parts, size)


def equals_celerys(
    app: Celery,
    producer: CapturingProducer,
    transport: Transport,
    template: CanvasTemplate,
    run: Run,
) -> bool:
    """Return True if the messages of this run are the same as celery makes them itself."""
    ids = RunIds(run.task_id)
    values = (b"", *_values(run, [ids.of(text) for text in template.texts]))
    messages, effects = canvas_messages(app, producer, run)
    if effects or len(messages) != len(template.parts):
        return False
    for message, part in zip(messages, template.parts, strict=True):
        celerys = transport.run_template(message, {TAG: 0})
        if celerys is None or celerys.render((b"",)) != part.template.render(values):
            return False
    return True


def _values(run: Run, ids: Sequence[str]) -> list[bytes]:
    planned = run.occurrence.planned.isoformat(timespec="microseconds")
    trace = traceparent(run.task_id) if run.entry.trace else NO_TRACE
    return [text.encode() for text in (run.task_id, planned, trace, *ids)]


def _is_plain(app: Celery, run: Run) -> bool:
    # Only celery's own code makes the messages, and only ids and the planned moment change.
    entry, canvas = run.entry, run.entry.canvas
    assert canvas is not None, "an entry with a task has another template"
    if run.expires is not None or has_marks(entry) or (entry.monitor and entry.monitor.sentry):
        return False
    options = [entry.options, *(step.options for step in _steps(canvas))]
    return (
        plain_app(app)
        and all(plain_task(app.tasks.get(name)) for name in names_in(canvas))
        and all(plain_options(some) and not MOMENTS & some.keys() for some in options)
        and not any(_expires(app, step) for _, step in tasks_of(canvas))
    )


def _steps(step: Step) -> Iterator[Step]:
    yield step
    for _, part in parts_of(step):
        yield from _steps(part)


def _expires(app: Celery, step: Step) -> bool:
    task = app.tasks.get(step.task)
    return task is not None and bool(task._get_exec_options().get("expires"))
