"""Make the messages of runs, from cached templates or by a call of celery."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from celery import Celery
from msgspec import Struct
from msgspec.structs import replace

from beatd.byte_cache import ByteCache
from beatd.definition.arguments import canonical_json
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.canvas_renderer import CanvasRenderer
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_message import Unbuildable, cannot_be_sent, celerys_own
from beatd.publishers.encoder import Encoder
from beatd.publishers.kombu_template import KombuTemplate
from beatd.publishers.message import (
    EntryFields,
    Message,
    Route,
    Transport,
    TransportTemplate,
    one_line,
)
from beatd.publishers.missing_queues import MissingQueues
from beatd.publishers.run_arguments import has_marks
from beatd.publishers.template import Template, same, template_of, until
from beatd.run import Run
from beatd.trace import traceparent

COMPARED_ENTRIES = 2  # how many entries of a template are also made by celery, and compared
ENTRY_TEMPLATES_BYTES = 32 * 2**20  # some 20,000 entries with few arguments
TEMPLATES_BYTES = 8 * 2**20  # some 1,000 templates


class SharedTemplate(Struct, eq=False):
    """A message with gaps, shared by all entries with the same task and options.

    `compared` counts the messages that were compared with celery's own; `trusted` becomes False
    after a difference.
    """

    template: Template
    transport_template: TransportTemplate
    route: Route
    compared: int = 0
    trusted: bool = True


class EntryTemplate(Struct, frozen=True):
    """The message of one entry, kept in memory, with gaps for the task id and times of a run.

    `revision` is the version of the entry's definition.
    """

    entry: Entry
    revision: int
    shared: SharedTemplate
    filled: Any

    def serves(self, run: Run) -> bool:
        """Return True if the message of this run can be made from this template.

        The entry must be unchanged, and no comparison of the template with celery may have failed.
        """
        entry, mine = run.entry, self.entry
        if run.revision != self.revision or not self.shared.trusted:
            return False
        # An emptied store counts revisions from 1 again: the contents are compared, too.
        return entry is mine or content(entry) == content(mine)


def content(entry: Entry) -> tuple[str, str]:
    """Return the parts of an entry that decide its messages, as texts that can be compared.

    They are texts, because 0, 0.0 and False are equal in Python but give different messages.
    """
    return entry.task, repr((entry.args, entry.kwargs, entry.options, entry.trace))


class Renderer:
    """Makes the messages of runs, from templates where possible.

    It caches one template for each entry, up to a limit of memory.
    """

    def __init__(
        self,
        *,
        app: Celery,
        producer: CapturingProducer,
        transport: Transport,
        entry_templates_bytes: int = ENTRY_TEMPLATES_BYTES,
        templates_bytes: int = TEMPLATES_BYTES,
    ) -> None:
        self._app, self._producer, self._transport = app, producer, transport
        self._shared = ByteCache[bytes, SharedTemplate | None](templates_bytes)
        self._entry_templates = ByteCache[str, EntryTemplate](entry_templates_bytes)
        # The revision of each entry whose messages celery makes itself.
        self._celerys = ByteCache[str, int](entry_templates_bytes // 16)
        self.encoder = Encoder(transport)
        self._canvases = CanvasRenderer(
            app=app, producer=producer, transport=transport, encoder=self.encoder
        )
        self._missing_queues = MissingQueues(app)

    def forget(self, names: Iterable[str]) -> None:
        """Delete the cached templates of the entries with these names."""
        names = list(names)
        self._canvases.forget(names)
        self._entry_templates.drop(names)
        self._celerys.drop(names)

    def prepare(self, runs: Sequence[Run]) -> None:
        """Make and cache the templates that `render` will need for these runs.

        A run whose message cannot be made is skipped: `render` reports it.
        """
        for run in runs:
            try:
                if run.entry.canvas is not None:
                    self._canvases.prepare(run)
                else:
                    self._entry_template(run)
            except Unbuildable:
                continue  # `render` reports it when the run is due

    def render(self, runs: Sequence[Run]) -> list[Message | Outcome]:
        """Return the message of each run, in order; the outcome "rejected" if it cannot be made."""
        now = self._app.now()
        moments: dict[SharedTemplate, tuple[bytes, bytes]] = {}
        # A delivery tag is a unique text in the form of a uuid: here the batch and the place in it.
        tag = str(uuid4())[:24].encode()
        planned_at, planned = None, b""
        known = self._entry_templates.get
        rendered: list[Message | Outcome] = []
        for place, run in enumerate(runs):
            entry_template = known(run.occurrence.name)
            if entry_template is None or not entry_template.serves(run):
                try:
                    if run.entry.canvas is not None:
                        rendered.append(self._canvases.render(run))
                        continue
                    entry_template = self._entry_template(run)
                    if entry_template is None:
                        rendered.append(self._celerys_own(run))
                        continue
                except Unbuildable as error:
                    rendered.append(Outcome("rejected", str(error)))
                    continue
            shared = entry_template.shared
            times = moments.get(shared)
            if times is None:
                times = moments[shared] = shared.template.moments(now)
            eta, expires = times
            expiration = b""
            if run.expires is not None:
                expires, expiration = self._next(run.expires, now)
            if run.occurrence.planned is not planned_at:
                planned_at = run.occurrence.planned
                planned = planned_at.isoformat(timespec="microseconds").encode()
            own = b"%b%012x" % (tag, place)
            trace = traceparent(run.task_id).encode() if run.entry.trace else b""
            values = (run.task_id.encode(), planned, eta, expires, expiration, own, trace)
            payload = shared.transport_template.render(entry_template.filled, values)
            rendered.append(Message(shared.route, payload, run.task_id))
        return rendered

    def _next(self, expires: datetime, now: datetime) -> tuple[bytes, bytes]:
        # For `expires: next`: the moment and the milliseconds left, both as a message has them.
        text = expires.astimezone(self._app.timezone).isoformat(timespec="microseconds")
        return text.encode(), until(expires, now).encode()

    def _celerys_own(self, run: Run) -> Message:
        first, *along = (  # celery's events about it follow
            self.encoder.message(celery_message, run)
            for celery_message in celerys_own(self._app, self._producer, run)
        )
        return replace(first, along=tuple(along))

    def _entry_template(self, run: Run) -> EntryTemplate | None:
        # The result is None if celery must make each message itself. Raises Unbuildable.
        name = run.entry.name
        known = self._entry_templates.get(name)
        if known is None:
            if self._celerys.get(name) == run.revision:
                return None
        elif known.serves(run):
            return known
        try:
            entry_template, size = self._new_entry_template(run)
        except Unbuildable:
            raise
        except Exception as error:
            # Neither celery nor the transport expects an option: only this entry fails.
            raise cannot_be_sent(run, one_line(error)) from error
        if entry_template is None:
            self._entry_templates.drop([name])
            self._celerys.keep(name, run.revision, 200 + len(name))
        else:
            self._celerys.drop([name])
            self._entry_templates.keep(name, entry_template, size)
        return entry_template

    def _new_entry_template(self, run: Run) -> tuple[EntryTemplate | None, int]:
        # The second result is the approximate size of the template in bytes. Raises Unbuildable.
        monitor = run.entry.monitor
        if has_marks(run.entry) or (monitor is not None and monitor.sentry):
            return None, 0  # its arguments or headers are new for each run
        shared = self._shared_template(run)
        if shared is None or not shared.trusted:
            return None, 0
        try:
            fields = shared.template.fields(self._app, run)
            filled = shared.transport_template.fill(fields)
        except Exception as error:
            raise cannot_be_sent(run, one_line(error)) from error
        if shared.compared < COMPARED_ENTRIES:
            shared.compared += 1
            shared.trusted = self._equals_celerys(shared.template, fields, run)
            if not shared.trusted:
                return None, 0
        return EntryTemplate(run.entry, run.revision, shared, filled), 1000 + 4 * len(fields.body)

    def _equals_celerys(self, template: Template, fields: EntryFields, run: Run) -> bool:
        # eta and expiry are not compared.
        transport_template = KombuTemplate(template.celery_message)
        planned = run.occurrence.planned.isoformat(timespec="microseconds").encode()
        eta, expires = template.moments(self._app.now())
        if run.expires is not None:
            expires = b"next"
        trace = traceparent(run.task_id).encode()
        values = (run.task_id.encode(), planned, eta, expires, b"0", b"", trace)
        ours = transport_template.render(transport_template.fill(fields), values)
        return same(ours, celerys_own(self._app, self._producer, run)[0])

    def _shared_template(self, run: Run) -> SharedTemplate | None:
        # None: celery must make each message itself.
        entry = run.entry
        try:
            options = canonical_json((entry.task, entry.options, run.expires is None, entry.trace))
        except (TypeError, ValueError):
            return None  # only a Celery app in memory can hold such objects
        if options not in self._shared:
            shared = self._new_shared_template(run)
            self._shared.keep(options, shared, 8000 + 4 * len(options))
            return shared
        return self._shared[options]

    def _new_shared_template(self, run: Run) -> SharedTemplate | None:
        # None: celery must make each message itself. Raises Unbuildable if the transport cannot
        # encode it.
        self._missing_queues.trim()
        template = template_of(self._app, self._producer, run)
        if template is None:
            return None
        try:
            transport_template = self._transport.transport_template(template.celery_message)
        except Exception as error:
            # The transport cannot write a header, such as a date on AMQP.
            raise cannot_be_sent(run, one_line(error)) from error
        return (
            SharedTemplate(
                template, transport_template, self.encoder.route(template.celery_message)
            )
            if transport_template is not None
            else None
        )
