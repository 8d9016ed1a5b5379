"""Publish the messages that celery beat would send, to the broker of a Celery app."""

import threading
from collections.abc import Callable, Sequence
from operator import is_
from time import monotonic

from celery import Celery, signals
from msgspec import Struct

from beatd.publisher import Outcome, Push
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_message import Unbuildable, apply_async, refuse_pickle
from beatd.publishers.message import CeleryMessage, Message, one_line
from beatd.publishers.redis_lists import RedisLists
from beatd.publishers.renderer import Renderer
from beatd.publishers.revocation import Revocation
from beatd.publishers.transports import connection_of, transport_to
from beatd.run import Run
from beatd.secret import hidden

RENDERED_FOR_S = 0.1  # a rendered message counts its eta and expiry from its rendering


class CeleryPublisher:
    """A publisher that sends runs to the broker of `app`. A run is one occurrence of an entry, on
    its way to a worker. Several threads may call the publisher.

    `timeout`, in seconds, limits the sending of one batch. It also limits each single wait for
    which the app sets no limit.
    """

    def __init__(self, *, app: Celery, timeout: float = 2.0) -> None:
        self._app = app
        self._lock = threading.Lock()
        connection = connection_of(app, timeout)
        self._place = hidden(connection.as_uri(include_password=not connection.password))
        self._transport = transport_to(connection, timeout)
        self._rendered: Rendered | None = None
        self._producer = CapturingProducer(connection)
        self._revocation = Revocation(app, timeout)
        self._renderer = Renderer(app=app, producer=self._producer, transport=self._transport)

    def prepare(self, runs: Sequence[Run], *, soon: bool = False) -> None:
        # Making a template is a send to those who listen.
        if listened_to():
            return
        with self._lock:
            if soon:
                self._rendered = Rendered(runs, self._renderer.render(runs), monotonic())
            else:
                self._renderer.prepare(runs)

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        with self._lock:
            if why := self._transport.open():
                return [Outcome("unsent", why)] * len(runs)
            if listened_to():
                return [self._inside(run, may_go_on) for run in runs]
            rendered = self._messages_of(runs)
            messages = [made for made in rendered if not isinstance(made, Outcome)]
            sent = iter(self._sent(messages, may_go_on))
            outcomes = [made if isinstance(made, Outcome) else next(sent) for made in rendered]
            along = [
                event
                for made, outcome in zip(rendered, outcomes, strict=True)
                if not isinstance(made, Outcome) and outcome.sent == "confirmed"
                for event in made.along
            ]
            if along:
                self._sent(along, may_go_on)  # nobody waits for events
            return outcomes

    def _messages_of(self, runs: Sequence[Run]) -> Sequence[Message | Outcome]:
        """Return for each run its message, or an outcome with the reason why celery cannot make the
        message. Messages that `prepare` rendered are returned if they are for exactly these runs
        and at most 0.1 s old; otherwise new messages are rendered. The messages of `prepare` are
        deleted in both cases."""
        soon, self._rendered = self._rendered, None
        if soon is None or monotonic() - soon.at > RENDERED_FOR_S:
            return self._renderer.render(runs)
        if len(soon.runs) != len(runs) or not all(map(is_, soon.runs, runs)):
            return self._renderer.render(runs)
        return soon.messages

    def revoke(self, task_ids: Sequence[str]) -> None:
        self._revocation.revoke(task_ids)

    def forget(self, names: Sequence[str]) -> None:
        with self._lock:
            self._renderer.forget(names)

    def reachable(self) -> bool:
        with self._lock:
            return self._transport.reachable()

    def trouble(self) -> str:
        return f"{self._place}: {self._transport.why}" if self._transport.why else ""

    def on_redis(self) -> "CeleryPublisher | None":
        return self if isinstance(self._transport, RedisLists) else None

    def close(self) -> None:
        with self._lock:
            self._transport.close()

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        """Return for each run a list of pushes, or an outcome with the reason why pushes alone
        cannot publish the run. A push adds one message to one Redis list. `publish` may still be
        able to send a run that has no pushes."""
        with self._lock:
            transport = self._transport
            if not isinstance(transport, RedisLists):
                return [Outcome("unsent", "the broker is not a Redis")] * len(runs)
            if why := self._transport.open():
                return [Outcome("unsent", why)] * len(runs)
            if not transport.asked:
                return [Outcome("unsent", "the connection to the broker is new")] * len(runs)
            if listened_to():
                return [Outcome("unsent", "the app listens to what is sent")] * len(runs)
            rendered = self._renderer.render(runs)
            messages = [made for made in rendered if not isinstance(made, Outcome)]
            lists = iter(transport.lists(messages))
            keys: dict[str, str] = {}  # a herd goes to few lists
            pushes: list[Sequence[Push] | Outcome] = []
            for made in rendered:
                if isinstance(made, Outcome):
                    pushes.append(made)
                    continue
                ends = next(lists)
                if isinstance(ends, Outcome):
                    pushes.append(ends)
                elif ends.topics or ends.expiring or made.along:
                    pushes.append(Outcome("unsent", "pushes alone cannot publish it"))
                else:
                    for key in ends.keys:
                        if key not in keys:
                            keys[key] = transport.prefixed(key)
                    pushes.append([Push(keys[key], made.payload) for key in ends.keys])
            return pushes

    def server(self) -> tuple[str, int] | None:
        with self._lock:
            return self._transport.server() if isinstance(self._transport, RedisLists) else None

    def asked(self) -> bool:
        return isinstance(self._transport, RedisLists) and self._transport.asked

    def _sent(
        self, messages: Sequence[Message], may_go_on: Callable[[], bool]
    ) -> Sequence[Outcome]:
        """Send the messages, and return one outcome for each, in order. If the transport raises an
        error, close the transport and return the outcome "unknown" for every message."""
        try:
            return self._transport.send(messages, may_go_on)
        except Exception as error:
            # No transport should raise here; if one does, each message may or may not be sent.
            self._transport.close()
            return [Outcome("unknown", one_line(error))] * len(messages)

    def _inside(self, run: Run, may_go_on: Callable[[], bool]) -> Outcome:
        """Publish the run by celery's own call, so that receivers of celery's signals are called.
        Each message is sent at the moment at which celery would send it. Return the outcome of the
        first message, which is the message of the task. Return "rejected" if no message was sent.
        If the first message is not confirmed, no more are sent."""
        outcome: Outcome | None = None

        def send(celery_message: CeleryMessage) -> None:
            nonlocal outcome
            if outcome is None:
                refuse_pickle(self._app, celery_message, run)
            message = self._renderer.message(celery_message, run)
            (ended,) = self._sent([message], may_go_on)
            if outcome is None:
                outcome = ended
                if ended.sent != "confirmed":
                    raise Unbuildable(ended.reason)

        keep, self._producer.on_message = self._producer.on_message, send
        try:
            apply_async(self._app, self._producer, run)
        except Exception as error:
            # A listener may fail as well, before the message is out or after.
            return outcome or Outcome("rejected", one_line(error))
        finally:
            self._producer.on_message = keep
        return outcome or Outcome("rejected", "celery sent nothing")


class Rendered(Struct, frozen=True):
    """Messages that were rendered a few milliseconds before they are sent.

    `messages` has one item for each of the `runs`: the message, or an outcome if celery cannot make
    the message. `at` is the value of `monotonic()` when the messages were rendered.
    """

    runs: Sequence[Run]
    messages: Sequence[Message | Outcome]
    at: float


def listened_to() -> bool:
    """True if this process has a receiver for one of celery's publish signals. Such a receiver may
    read or change each message at the moment of sending."""
    return any(
        signal.receivers
        for signal in (
            signals.before_task_publish,
            signals.after_task_publish,
            signals.task_sent,
        )
    )
