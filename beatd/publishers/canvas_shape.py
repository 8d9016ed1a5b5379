"""Share one call of celery between all entries whose canvases differ only in names and arguments.

Celery makes the messages once, with marks in the place of the entry's name and of each argument.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.utils.json import dumps
from msgspec import Struct
from msgspec.structs import replace

from beatd.canvas import tasks_of
from beatd.entry import Chord, Entry, Step
from beatd.publishers.canvas_template import Probe, probe_of
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.message import CeleryMessage
from beatd.publishers.placeholders import NAME, Gaps
from beatd.publishers.run_arguments import APP
from beatd.publishers.template import shown
from beatd.run import Run
from beatd.run_part import HEADER as PART_HEADER
from beatd.run_part import parts_of_run

MARK = str(uuid4())  # before the number of an argument
SHARED_TASKS_MAX = 50
JSON = "application/json"


class CanvasShape(Struct, frozen=True):
    """The messages of all entries with the same canvas but for names and arguments.

    For each message, `bodies` has its body with gaps for these, and `steps` the number of its task
    in the order of writing. `longest` and `levels` limit the texts of arguments for people.
    """

    probe: Probe
    bodies: Sequence[Gaps]
    steps: Sequence[int]
    longest: tuple[int, int]
    levels: int | None

    @property
    def size(self) -> int:
        """The estimated size in bytes."""
        return 1000 + sum(2000 + 3 * len(message.body) for message in self.probe.messages)

    def probe_of(self, entry: Entry) -> Probe:
        """Return the messages of one entry, as celery would have made them."""
        assert entry.canvas is not None, "it has a shape"
        texts = [dumps(value) for value in _values(entry.canvas)]
        values = [text.encode() for text in (dumps(entry.name)[1:-1], *texts)]
        tasks = [step for _, step in tasks_of(entry.canvas)]
        messages = [
            self._message(message, b"".join(body.fill(values)), entry.name, tasks[number])
            for message, body, number in zip(
                self.probe.messages, self.bodies, self.steps, strict=True
            )
        ]
        return replace(self.probe, messages=messages)

    def _message(self, message: CeleryMessage, body: bytes, name: str, step: Step) -> CeleryMessage:
        headers = {
            **message.headers,
            "periodic_task_name": name,
            "argsrepr": shown(tuple(step.args), self.longest[0], self.levels),
            "kwargsrepr": shown(dict(step.kwargs), self.longest[1], self.levels),
        }
        return replace(message, headers=headers, body=body.decode())


def shape_key(entry: Entry) -> str | None:
    """Return a text that is the same for all entries of one shape; None if it cannot be shared."""
    marked = _marked(entry)
    return None if marked is None else repr((marked.canvas, marked.options, marked.trace))


def canvas_shape(app: Celery, producer: CapturingProducer, run: Run) -> CanvasShape | None:
    """Return the shape of the run's entry; None if its messages cannot be shared.

    Raises Unbuildable if celery cannot make the messages.
    """
    marked = _marked(run.entry)
    probe = None if marked is None else probe_of(app, producer, replace(run, entry=marked))
    if marked is None or marked.canvas is None or probe is None:
        return None
    numbers = {str(part): nth for nth, part in enumerate(parts_of_run(marked.canvas).values())}
    names = [NAME, *(json.dumps(value) for value in _values(marked.canvas))]
    bodies, steps = [], []
    for message in probe.messages:
        if message.content_type != JSON or not isinstance(message.body, str):
            return None
        bodies.append(Gaps(message.body.encode(), names, ()))
        steps.append(numbers[message.headers[PART_HEADER]])
    longest = app.amqp.argsrepr_maxsize, app.amqp.kwargsrepr_maxsize
    levels = app.conf.get("task_repr_maxlevels", 3)  # before celery 5.7 there is no setting
    shape = CanvasShape(probe, bodies, steps, longest, levels)
    same = shape.probe_of(marked).messages == probe.messages
    return shape if same and not _has_marks_elsewhere(probe.messages) else None


def _has_marks_elsewhere(messages: Sequence[CeleryMessage]) -> bool:
    filled = {"periodic_task_name": "", "argsrepr": "", "kwargsrepr": ""}
    rest = repr([replace(one, body="", headers={**one.headers, **filled}) for one in messages])
    return MARK in rest or NAME in rest


def _marked(entry: Entry) -> Entry | None:
    # None: a step in chunks, whose arguments decide how many messages there are; an entry of an
    # app, whose own values are sent; or so many tasks that hardly another entry has the same.
    assert entry.canvas is not None, "an entry with a task has another template"
    tasks = [step for _, step in tasks_of(entry.canvas)]
    if len(tasks) > SHARED_TASKS_MAX or entry.source.startswith(APP):
        return None
    if any(step.chunks is not None for step in tasks):
        return None
    return replace(entry, name=NAME, canvas=_marked_step(entry.canvas, count()))


def _marked_step(step: Step, numbers: Iterator[int]) -> Step:
    def mark(_value: Any) -> str:
        return f"{MARK}{next(numbers)};"

    def all_marked(steps: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(_marked_step(one, numbers) for one in steps)

    marked = replace(
        step,
        args=tuple(map(mark, step.args)),
        kwargs={key: mark(value) for key, value in step.kwargs.items()},
    )
    if step.task and not step.link and not step.link_error:
        return marked
    return replace(
        marked,
        chain=all_marked(step.chain),
        group=step.group if isinstance(step.group, Step) else all_marked(step.group),
        chord=None
        if step.chord is None
        else Chord(
            header=all_marked(step.chord.header), body=_marked_step(step.chord.body, numbers)
        ),
        link=all_marked(step.link),
        link_error=all_marked(step.link_error),
    )


def _values(step: Step) -> Iterator[Any]:
    # In the order of the marks.
    yield from step.args
    yield from step.kwargs.values()
    parts = [*step.chain, *(() if isinstance(step.group, Step) else step.group)]
    if step.chord is not None:
        parts += [*step.chord.header, step.chord.body]
    for part in (*parts, *step.link, *step.link_error):
        yield from _values(part)
