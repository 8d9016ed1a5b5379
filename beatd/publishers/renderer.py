"""Runs in, messages out: each made from its entry's template where there is one."""

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
from beatd.publishers.capture import CatchingProducer
from beatd.publishers.celery_message import Unbuildable, cannot_be_sent, celerys_own
from beatd.publishers.kombu_template import LetterPress
from beatd.publishers.message import Letter, Message, Press, Route, Wire, one_line
from beatd.publishers.missing_queues import MissingQueues
from beatd.publishers.run_arguments import has_marks
from beatd.publishers.template import Form, form_of, same, until
from beatd.run import Run

PROOFS = 2  # how many entries of a form are also made by celery, and compared
TEMPLATES_BYTES = 32 * 2**20  # some 20,000 templates of entries with few arguments
FORMS_BYTES = 8 * 2**20  # some 1,000 forms
ROUTES = 1000


class Printer(Struct, eq=False):
    """A form on its wire's press."""

    form: Form
    press: Press
    route: Route
    proofs: int = 0
    trusted: bool = True


class Template(Struct, frozen=True):
    entry: Entry
    revision: int
    printer: Printer
    filled: Any

    def serves(self, run: Run) -> bool:
        """True if the run's message can be made of this. The revision tells entries apart, unless
        the store was made anew under our feet."""
        entry, mine = run.entry, self.entry
        if run.revision != self.revision or not self.printer.trusted:
            return False
        return entry is mine or content(entry) == content(mine)


def content(entry: Entry) -> tuple[str, str]:
    """What goes into its messages; written, as 0, 0.0 and False are equal and not the same."""
    return entry.task, repr((entry.args, entry.kwargs, entry.options))


class Renderer:
    """Keeps one template per entry, of the revision rendered last, as far as there is room."""

    def __init__(
        self,
        *,
        app: Celery,
        producer: CatchingProducer,
        wire: Wire,
        templates_bytes: int = TEMPLATES_BYTES,
        forms_bytes: int = FORMS_BYTES,
    ) -> None:
        self._app, self._producer, self._wire = app, producer, wire
        self._printers = ByteCache[bytes, Printer | None](forms_bytes)
        self._templates = ByteCache[str, Template](templates_bytes)
        # Entries whose messages celery makes itself, and at which revision.
        self._celerys = ByteCache[str, int](templates_bytes // 16)
        self._routes: dict[Any, Route] = {}
        self._missing_queues = MissingQueues(app)

    def forget(self, names: Iterable[str]) -> None:
        """Drop what is kept of these entries."""
        names = list(names)
        self._templates.drop(names)
        self._celerys.drop(names)

    def prepare(self, runs: Sequence[Run]) -> None:
        for run in runs:
            try:
                self._template(run)
            except Unbuildable:
                continue  # told when it is due

    def render(self, runs: Sequence[Run]) -> list[Message | Outcome]:
        """Per run: its message, or why there is none."""
        now = self._app.now()
        moments: dict[Printer, tuple[bytes, bytes]] = {}
        # A delivery tag is anything unique, in the looks of a uuid: this batch and the place in it.
        tag = str(uuid4())[:24].encode()
        planned_at, planned = None, b""
        known = self._templates.get
        rendered: list[Message | Outcome] = []
        for place, run in enumerate(runs):
            template = known(run.occurrence.name)
            if template is None or not template.serves(run):
                try:
                    template = self._template(run)
                    if template is None:
                        rendered.append(self._celerys_own(run))
                        continue
                except Unbuildable as error:
                    rendered.append(Outcome("rejected", str(error)))
                    continue
            printer = template.printer
            times = moments.get(printer)
            if times is None:
                times = moments[printer] = printer.form.moments(now)
            eta, expires = times
            expiration = b""
            if run.expires is not None:
                expires, expiration = self._next(run.expires, now)
            if run.occurrence.planned is not planned_at:
                planned_at = run.occurrence.planned
                planned = planned_at.isoformat(timespec="microseconds").encode()
            own = b"%b%012x" % (tag, place)
            values = (run.task_id.encode(), planned, eta, expires, expiration, own)
            payload = printer.press.stamp(template.filled, values)
            rendered.append(Message(printer.route, payload, run.task_id))
        return rendered

    def _next(self, expires: datetime, now: datetime) -> tuple[bytes, bytes]:
        text = expires.astimezone(self._app.timezone).isoformat(timespec="microseconds")
        return text.encode(), until(expires, now).encode()

    def _celerys_own(self, run: Run) -> Message:
        first, *along = (
            self.message(letter, run) for letter in celerys_own(self._app, self._producer, run)
        )
        return replace(first, along=tuple(along))

    def message(self, letter: Letter, run: Run) -> Message:
        try:
            return Message(self.route(letter), self._wire.pack(letter), run.task_id)
        except Exception as error:
            # A header or property that the transport has no way to write.
            raise cannot_be_sent(run, one_line(error)) from error

    def route(self, letter: Letter) -> Route:
        key = (letter.exchange, letter.routing_key, letter.priority, *map(id, letter.declare))
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= ROUTES:
                self._routes.clear()
            route = Route(letter.exchange, letter.routing_key, letter.priority, letter.declare)
            self._routes[key] = route
        return route

    def _template(self, run: Run) -> Template | None:
        name = run.entry.name
        known = self._templates.get(name)
        if known is None:
            if self._celerys.get(name) == run.revision:
                return None
        elif known.serves(run):
            return known
        try:
            template, size = self._new_template(run)
        except Unbuildable:
            raise
        except Exception as error:
            # An option that neither celery nor the transport expects: this entry alone fails.
            raise cannot_be_sent(run, one_line(error)) from error
        if template is None:
            self._templates.drop([name])
            self._celerys.keep(name, run.revision, 200 + len(name))
        else:
            self._celerys.drop([name])
            self._templates.keep(name, template, size)
        return template

    def _new_template(self, run: Run) -> tuple[Template | None, int]:
        """The template and about how many bytes it takes; None where celery makes each message."""
        if has_marks(run.entry):
            return None, 0  # not what an argument was two seconds before
        printer = self._printer(run)
        if printer is None or not printer.trusted:
            return None, 0
        try:
            filling = printer.form.filling(self._app, run)
            filled = printer.press.fill(filling)
        except Exception as error:
            raise cannot_be_sent(run, one_line(error)) from error
        if printer.proofs < PROOFS:
            printer.proofs += 1
            printer.trusted = self._proof(printer.form, filling, run)
            if not printer.trusted:
                return None, 0
        return Template(run.entry, run.revision, printer, filled), 1000 + 4 * len(filling.body)

    def _proof(self, form: Form, filling: Any, run: Run) -> bool:
        press = LetterPress(form.letter)
        planned = run.occurrence.planned.isoformat(timespec="microseconds").encode()
        eta, expires = form.moments(self._app.now())
        if run.expires is not None:
            expires = b"next"
        values = (run.task_id.encode(), planned, eta, expires, b"0", b"")
        ours = press.stamp(press.fill(filling), values)
        return same(ours, celerys_own(self._app, self._producer, run)[0])

    def _printer(self, run: Run) -> Printer | None:
        entry = run.entry
        try:
            options = canonical_json((entry.task, entry.options, run.expires is None))
        except (TypeError, ValueError):
            return None  # objects that only a Celery app in memory can hold
        if options not in self._printers:
            printer = self._new_printer(run)
            self._printers.keep(options, printer, 8000 + 4 * len(options))
            return printer
        return self._printers[options]

    def _new_printer(self, run: Run) -> Printer | None:
        self._missing_queues.trim()
        form = form_of(self._app, self._producer, run)
        if form is None:
            return None
        try:
            press = self._wire.press(form.letter)
        except Exception as error:
            # A header that the transport has no way to write, such as a date on AMQP.
            raise cannot_be_sent(run, one_line(error)) from error
        return Printer(form, press, self.route(form.letter)) if press is not None else None
