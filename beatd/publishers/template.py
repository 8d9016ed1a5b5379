"""Make a message of celery once, and reuse it for all entries with the same task and options.

An entry fills in its name and arguments; a run fills in its id and moments. If a project has its
own code for routes, names or sending, no template is made, and celery makes each message itself.
"""

import numbers
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import celery.app.amqp
import celery.app.base
import celery.app.task
from celery import Celery
from celery.app.routes import MapRoute
from celery.utils.saferepr import saferepr
from kombu.compression import compress
from kombu.serialization import dumps
from msgspec import Struct
from msgspec.structs import replace

from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_message import celerys_own
from beatd.publishers.message import CeleryMessage, EntryFields
from beatd.publishers.placeholders import (
    ARGSREPR,
    BODY,
    ETA,
    EXPIRATION,
    EXPIRES,
    ID,
    KWARGSREPR,
    MOMENT,
    NAME,
    PLANNED,
    TRACE,
)
from beatd.publishers.run_arguments import evaluated
from beatd.run import Run
from beatd.trace import HEADER

MARKED = {"id", "root_id", "eta", "expires", "argsrepr", "kwargsrepr"}
PLAIN = re.compile(r"[A-Za-z0-9_ .:/@-]{0,40}")
OWN_WAYS = {"eta", "argsrepr", "kwargsrepr", "stamped_headers", "content_type", "task_id"}


class Template(Struct, frozen=True):
    """A message of celery with placeholders, from which the messages of many runs are made.

    It also has the settings from which the values of the placeholders are computed.
    """

    celery_message: CeleryMessage  # with placeholders
    serializer: str | None
    compression: str | None
    embed: Mapping[str, Any]  # callbacks and the like, a part of the body
    task: Any  # the registered task, or None
    countdown: float | None
    expires: float | None  # seconds from the moment of sending
    levels: int | None  # of nested arguments that are shown

    def fields(self, app: Celery, run: Run) -> EntryFields:
        """Return the parts of the message that come from the run's entry.

        Raises an error if the task does not accept the arguments, or if they cannot be serialised.
        """
        args, kwargs = evaluated(app, run.entry)
        if self.task is not None and self.task.typing:
            self.task.__header__(*args, **kwargs)
        # As in celery's as_task_v2, no arguments are an empty tuple.
        body = (args or (), kwargs, self.embed)
        _, _, text = dumps(body, serializer=self.serializer)
        if self.compression:
            text, _ = compress(text, self.compression)
        return EntryFields(
            name=run.entry.name,
            argsrepr=shown(args or (), app.amqp.argsrepr_maxsize, self.levels),
            kwargsrepr=shown(kwargs, app.amqp.kwargsrepr_maxsize, self.levels),
            body=text,
        )

    def moments(self, now: datetime) -> tuple[bytes, bytes]:
        """Return (eta, expires) of a message sent at `now`, as bytes; b"" if not set."""
        return _later(now, self.countdown), _later(now, self.expires)


def template_of(app: Celery, producer: CapturingProducer, run: Run) -> Template | None:
    """Return a template made from one message of celery for the run.

    Return None if messages from the template could differ from celery's own.
    """
    entry, options = run.entry, run.entry.options
    task = app.tasks.get(entry.task)
    if not (plain_app(app) and plain_task(task) and plain_options(options)):
        return None
    probe = replace(run, task_id=ID)
    celery_messages = celerys_own(app, producer, probe)
    ((args, kwargs, embed), options_sent), celery_message = producer.calls[0], celery_messages[0]
    if len(celery_messages) > 1 or (list(args), dict(kwargs)) != evaluated(app, entry):
        return None
    countdown = options.get("countdown") or None
    expires = options.get("expires")
    if "expires" not in options and task is not None:
        expires = task._get_exec_options().get("expires")
    until_next = expires == "next"
    if not (expires is None or until_next or isinstance(expires, numbers.Real)):
        return None
    if until_next and run.expires is None:
        return None
    headers = dict(celery_message.headers)
    marks = {"periodic_task_name": NAME, "beatd_planned_at": PLANNED}
    marks |= {"argsrepr": ARGSREPR, "kwargsrepr": KWARGSREPR, "id": ID, "root_id": ID}
    if entry.trace:
        marks[HEADER] = TRACE
    if countdown:
        marks["eta"] = ETA
    if expires is not None:
        marks["expires"] = EXPIRES
    if headers["id"] != ID or headers["root_id"] != ID or (headers["eta"] and not countdown):
        return None
    headers.update(marks)
    properties = dict(celery_message.properties)
    if until_next:
        properties["expiration"] = EXPIRATION
    return Template(
        celery_message=replace(celery_message, headers=headers, properties=properties, body=BODY),
        serializer=options_sent.get("serializer"),
        compression=options_sent.get("compression"),
        embed=embed,
        task=task,
        countdown=countdown,
        expires=None if until_next else expires,
        levels=app.conf.get("task_repr_maxlevels", 3),  # before celery 5.7 there is no setting
    )


def until(expires: datetime, now: datetime) -> str:
    """Return the milliseconds from `now` until `expires` as text, such as "1500".

    It is at least "0", as celery writes it.
    """
    return str(int(max(0.0, (expires - now).total_seconds()) * 1000))


def same(one: CeleryMessage, other: CeleryMessage) -> bool:
    """Return True if both messages are equal except in eta and expiry, which differ each time."""
    return _without_moments(one) == _without_moments(other)


def _without_moments(celery_message: CeleryMessage) -> CeleryMessage:
    headers = {**celery_message.headers}
    # These differ each time, so only their presence is compared.
    for moment in ("eta", "expires"):
        headers[moment] = headers[moment] is None
    properties = {k: v for k, v in celery_message.properties.items() if k != "expiration"}
    body = (
        celery_message.body.encode()
        if isinstance(celery_message.body, str)
        else celery_message.body
    )
    return replace(celery_message, headers=headers, properties=properties, body=body)


def _later(now: datetime, seconds: float | None) -> bytes:
    if seconds is None:
        return b""
    # celery 5.7 adds like this; older versions are an hour off across a change of clocks.
    moment = (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)
    return moment.isoformat(timespec="microseconds").encode()


def shown(value: list[Any] | tuple[()] | dict[str, Any], longest: int, levels: int | None) -> str:
    """Return task arguments as text for people, exactly as celery's saferepr does.

    The text is cut to about `longest` characters and `levels` of nesting.
    """
    values = [*value, *value.values()] if isinstance(value, dict) else value
    if len(values) < 20 and all(map(_is_plain, values)):
        text = repr(value)
        if len(text) < longest:
            return text
    return str(saferepr(value, longest, maxlevels=levels))


def _is_plain(value: Any) -> bool:
    """Return True if repr and celery's saferepr certainly give the same text for the value."""
    kind = type(value)
    return kind is int or kind is bool or (kind is str and PLAIN.fullmatch(value) is not None)


def plain_app(app: Celery) -> bool:
    """Return True if celery's own code sends the app's messages, without events about them.

    Moments in the messages have the usual length.
    """
    return (
        _by(celery.app.base, type(app).send_task)
        and _by(celery.app.amqp, app.amqp.create_task_message, "as_task_v2")
        and all(isinstance(route, MapRoute) for route in app.amqp.routes)
        and not app.conf.task_send_sent_event
        and len(app.now().isoformat(timespec="microseconds")) == MOMENT
    )


def plain_task(task: Any) -> bool:
    """Return True if celery's own code sends this task, or if the app does not know the task."""
    kind = type(task)
    return task is None or (
        _by(celery.app.task, kind.apply_async)
        and _by(celery.app.task, kind.shadow_name)
        and _by(celery.app.task, kind._get_exec_options)
        and getattr(task, "_dump_pydantic_arguments", None) is None
    )


def _by(module: ModuleType, function: Any, name: str = "") -> bool:
    # Return True if `function` is celery's own code from `module`, neither overridden nor wrapped.
    # A given `name` must match, too.
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_filename == module.__file__
        and (not name or code.co_name == name)
    )


def plain_options(options: Mapping[str, Any]) -> bool:
    """Return True if no option or header sets a field that a template cannot contain."""
    return not OWN_WAYS & options.keys() and not MARKED & (options.get("headers") or {}).keys()
