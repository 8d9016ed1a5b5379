"""A form: what all entries of one task with the same options have in common.

Celery makes the form's letter once. An entry fills in its name and arguments, a run its id and
moments. Only what is known to make no difference between two sends may be a form; a project that
routes, names or sends in its own way has every message made by celery itself.
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

from beatd.publishers.capture import CatchingProducer
from beatd.publishers.celery_message import celerys_own
from beatd.publishers.message import Filling, Letter
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
)
from beatd.publishers.run_arguments import evaluated
from beatd.run import Run

MARKED = {"id", "root_id", "eta", "expires", "argsrepr", "kwargsrepr"}
PLAIN = re.compile(r"[A-Za-z0-9_ .:/@-]{0,40}")
OWN_WAYS = {"eta", "argsrepr", "kwargsrepr", "stamped_headers", "content_type", "task_id"}


class Form(Struct, frozen=True):
    letter: Letter  # with marks
    serializer: str | None
    compression: str | None
    embed: Mapping[str, Any]  # callbacks and the like, part of the body
    task: Any  # the registered task, or None
    countdown: float | None
    expires: float | None  # seconds from the moment of sending
    levels: int | None  # how deep arguments are shown

    def filling(self, app: Celery, run: Run) -> Filling:
        """The entry's part; raises what celery would raise for such arguments."""
        args, kwargs = evaluated(app, run.entry)
        if self.task is not None and self.task.typing:
            self.task.__header__(*args, **kwargs)
        # celery's as_task_v2: no arguments at all are an empty tuple.
        body = (args or (), kwargs, self.embed)
        _, _, text = dumps(body, serializer=self.serializer)
        if self.compression:
            text, _ = compress(text, self.compression)
        return Filling(
            name=run.entry.name,
            argsrepr=shown(args or (), app.amqp.argsrepr_maxsize, self.levels),
            kwargsrepr=shown(kwargs, app.amqp.kwargsrepr_maxsize, self.levels),
            body=text,
        )

    def moments(self, now: datetime) -> tuple[bytes, bytes]:
        """eta and expires of what is sent now."""
        return _later(now, self.countdown), _later(now, self.expires)


def form_of(app: Celery, producer: CatchingProducer, run: Run) -> Form | None:
    """The form of this run's entry, or None where celery has to make each message by itself."""
    entry, options = run.entry, run.entry.options
    task = app.tasks.get(entry.task)
    if not (_plain_app(app) and _plain_task(task) and _plain_options(options)):
        return None
    probe = replace(run, task_id=ID)
    letters = celerys_own(app, producer, probe)
    ((args, kwargs, embed), spoken), letter = producer.spoken[0], letters[0]
    if len(letters) > 1 or (list(args), dict(kwargs)) != evaluated(app, entry):
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
    headers = dict(letter.headers)
    marks = {"periodic_task_name": NAME, "beatd_planned_at": PLANNED}
    marks |= {"argsrepr": ARGSREPR, "kwargsrepr": KWARGSREPR, "id": ID, "root_id": ID}
    if countdown:
        marks["eta"] = ETA
    if expires is not None:
        marks["expires"] = EXPIRES
    if headers["id"] != ID or headers["root_id"] != ID or (headers["eta"] and not countdown):
        return None
    headers.update(marks)
    properties = dict(letter.properties)
    if until_next:
        properties["expiration"] = EXPIRATION
    return Form(
        letter=replace(letter, headers=headers, properties=properties, body=BODY),
        serializer=spoken.get("serializer"),
        compression=spoken.get("compression"),
        embed=embed,
        task=task,
        countdown=countdown,
        expires=None if until_next else expires,
        levels=app.conf.get("task_repr_maxlevels", 3),  # before celery 5.7 there is no setting
    )


def until(expires: datetime, now: datetime) -> str:
    """A message's time to live, as celery works it out from a moment."""
    return str(int(max(0.0, (expires - now).total_seconds()) * 1000))


def same(one: Letter, other: Letter) -> bool:
    """Equal but for the moments, which are taken from the clock each time."""
    return _still(one) == _still(other)


def _still(letter: Letter) -> Letter:
    headers = {**letter.headers}
    for moment in ("eta", "expires"):
        headers[moment] = headers[moment] is None
    properties = {k: v for k, v in letter.properties.items() if k != "expiration"}
    body = letter.body.encode() if isinstance(letter.body, str) else letter.body
    return replace(letter, headers=headers, properties=properties, body=body)


def _later(now: datetime, seconds: float | None) -> bytes:
    if seconds is None:
        return b""
    # As celery 5.7 adds; older ones are an hour off across a change of clocks.
    moment = (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)
    return moment.isoformat(timespec="microseconds").encode()


def shown(value: list[Any] | tuple[()] | dict[str, Any], longest: int, levels: int | None) -> str:
    """celery's saferepr; for a few plain values, where it takes long to say the same, repr."""
    values = [*value, *value.values()] if isinstance(value, dict) else value
    if len(values) < 20 and all(map(_is_plain, values)):
        text = repr(value)
        if len(text) < longest:
            return text
    return str(saferepr(value, longest, maxlevels=levels))


def _is_plain(value: Any) -> bool:
    kind = type(value)
    return kind is int or kind is bool or (kind is str and PLAIN.fullmatch(value) is not None)


def _plain_app(app: Celery) -> bool:
    return (
        _by(celery.app.base, type(app).send_task)
        and _by(celery.app.amqp, app.amqp.create_task_message, "as_task_v2")
        and all(isinstance(route, MapRoute) for route in app.amqp.routes)
        and not app.conf.task_send_sent_event
        and len(app.now().isoformat(timespec="microseconds")) == MOMENT
    )


def _plain_task(task: Any) -> bool:
    kind = type(task)
    return task is None or (
        _by(celery.app.task, kind.apply_async)
        and _by(celery.app.task, kind.shadow_name)
        and _by(celery.app.task, kind._get_exec_options)
        and getattr(task, "_dump_pydantic_arguments", None) is None
    )


def _by(module: ModuleType, function: Any, name: str = "") -> bool:
    """Whether it is celery's own: neither overridden, nor wrapped by a tracing library."""
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_filename == module.__file__
        and (not name or code.co_name == name)
    )


def _plain_options(options: Mapping[str, Any]) -> bool:
    return not OWN_WAYS & options.keys() and not MARKED & (options.get("headers") or {}).keys()
