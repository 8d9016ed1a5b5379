"""Make the messages of runs whose entry is a canvas, from cached templates or by celery's code."""

from collections.abc import Iterable

from celery import Celery
from msgspec.structs import replace

from beatd.byte_cache import ByteCache
from beatd.canvas import task_names
from beatd.entry import Entry
from beatd.publishers.canvas_message import canvas_messages
from beatd.publishers.canvas_shape import CanvasShape, canvas_shape, shape_key
from beatd.publishers.canvas_template import (
    CanvasTemplate,
    Probe,
    canvas_template,
    equals_celerys,
    probe_of,
)
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.encoder import Encoder
from beatd.publishers.message import Message, Transport
from beatd.run import Run

TEMPLATES_BYTES = 64 * 2**20  # some 15,000 chains of three tasks with few arguments
SHAPES_BYTES = 8 * 2**20
COMPARED_ENTRIES = 2  # with the same tasks, whose messages are also compared with celery's own
COMPARISONS_KEPT_MAX = 1000
_NEVER = -1  # after a difference


class CanvasRenderer:
    """Makes the messages of runs of canvases.

    It keeps one template for each entry, up to a limit of memory.
    """

    def __init__(
        self,
        *,
        app: Celery,
        producer: CapturingProducer,
        transport: Transport,
        encoder: Encoder,
        templates_bytes: int = TEMPLATES_BYTES,
    ) -> None:
        self._app, self._producer = app, producer
        self._transport, self._encoder = transport, encoder
        self._templates = ByteCache[str, CanvasTemplate](templates_bytes)
        self._shapes = ByteCache[str, CanvasShape | None](SHAPES_BYTES)
        # The revision of each entry whose messages celery makes itself.
        self._celerys = ByteCache[str, int](templates_bytes // 16)
        # How many entries with these tasks were compared; _NEVER after a difference.
        self._compared: dict[tuple[str, ...], int] = {}

    def forget(self, names: Iterable[str]) -> None:
        """Delete the cached templates of the entries with these names."""
        names = list(names)
        self._templates.drop(names)
        self._celerys.drop(names)

    def prepare(self, run: Run) -> None:
        """Make and cache the template of the run's entry.

        Raises Unbuildable if celery cannot make the messages.
        """
        self._template(run)

    def render(self, run: Run) -> Message:
        """Return the messages of the run: the first, with the others in `rest`.

        Raises Unbuildable if celery cannot make them.
        """
        template = self._template(run)
        if template is not None:
            return template.render(run)
        celerys, effects = canvas_messages(self._app, self._producer, run)
        first, *rest = (self._encoder.message(one, run) for one in celerys)
        return replace(first, rest=tuple(rest), effects=tuple(effects))

    def _template(self, run: Run) -> CanvasTemplate | None:
        # None: celery must make each message itself.
        name = run.occurrence.name
        known = self._templates.get(name)
        if known is not None and _serves(known, run):
            return known
        if known is None and self._celerys.get(name) == run.revision:
            return None
        self.forget([name])
        template = self._new_template(run)
        if template is None:
            self._celerys.keep(name, run.revision, 200 + len(name))
        else:
            self._templates.keep(name, template, template.size)
        return template

    def _new_template(self, run: Run) -> CanvasTemplate | None:
        tasks = task_names(run.entry)
        compared = self._compared.get(tasks, 0)
        if compared == _NEVER:
            return None
        probe = self._probe(run)
        if probe is None:
            return None
        template = canvas_template(self._transport, self._encoder, run, probe)
        if template is not None and compared < COMPARED_ENTRIES:
            same = equals_celerys(self._app, self._producer, self._transport, template, run)
            if len(self._compared) >= COMPARISONS_KEPT_MAX:
                self._compared.clear()
            self._compared[tasks] = compared + 1 if same else _NEVER
            return template if same else None
        return template

    def _probe(self, run: Run) -> Probe | None:
        key = shape_key(run.entry)
        if key is not None:
            if key not in self._shapes:
                shape = canvas_shape(self._app, self._producer, run)
                self._shapes.keep(key, shape, 4 * len(key) + (0 if shape is None else shape.size))
            else:
                shape = self._shapes[key]
            if shape is not None:
                return shape.probe_of(run.entry)
        return probe_of(self._app, self._producer, run)


def _serves(template: CanvasTemplate, run: Run) -> bool:
    # An emptied store counts revisions from 1 again: the contents are compared, too.
    if run.revision != template.revision:
        return False
    return run.entry is template.entry or _content(run.entry) == _content(template.entry)


def _content(entry: Entry) -> str:
    # As text, because 0, 0.0 and False are equal in Python but give different messages.
    return repr((entry.canvas, entry.options, entry.trace))
