"""Publish the messages that celery beat would send, to the broker of a Celery app."""

import threading
from collections.abc import Callable, Sequence
from operator import is_
from time import monotonic

from celery import Celery, signals
from msgspec import Struct

from beatd.publisher import Outcome, Push
from beatd.publishers.canvas_inside import send_inside
from beatd.publishers.canvas_parts import CanvasParts, parts_of
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_message import Unbuildable, apply_async, refuse_pickle
from beatd.publishers.chord_writes import ChordWrites
from beatd.publishers.largest_step import with_largest_step
from beatd.publishers.message import CeleryMessage, Message, one_line
from beatd.publishers.redis_lists import RedisLists
from beatd.publishers.renderer import Renderer
from beatd.publishers.revocation import Revocation
from beatd.publishers.transports import connection_of, transport_to
from beatd.run import Run
from beatd.secret import hidden

RENDERED_FOR_S = 0.1  # a rendered message counts its eta and expiry from its rendering


class CeleryPublisher:
    """Sends the messages of runs to the broker of a Celery app.

    It is safe to call from several threads. `timeout`, in seconds, limits the sending of one batch,
    and each wait for which the app sets no limit.
    """

    def __init__(self, *, app: Celery, timeout: float = 2.0) -> None:
        self._app = app
        self._lock = threading.Lock()
        connection = connection_of(app, timeout)
        self._place = hidden(connection.as_uri(include_password=not connection.password))
        self._transport = transport_to(connection, timeout)
        self._rendered: Rendered | None = None
        self._chord_writes, self._canvas_parts = ChordWrites(timeout), CanvasParts()
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
            rendered = self._chord_writes.made(self._messages_of(runs))
            attempt = self._canvas_parts.begin(rendered)
            sent = attempt.outcomes(iter(self._sent(attempt.messages(), may_go_on)))
            outcomes = [
                with_largest_step(outcome, run.entry)
                for outcome, run in zip(sent, runs, strict=True)
            ]
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
        # Messages from `prepare` are used if they are of exactly these runs and at most 0.1 s old.
        # A run whose message cannot be made gets the outcome "rejected".
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
        """Return for each run the pushes to Redis lists that send its message.

        A run for which pushes are not enough has an outcome instead, with the reason; `publish` may
        still be able to send it.
        """
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
            messages = [part for made in rendered for part in parts_of(made)]
            lists = iter(transport.lists(messages))
            keys: dict[str, str] = {}  # a herd goes to few lists
            pushes: list[Sequence[Push] | Outcome] = []
            for made in rendered:
                if isinstance(made, Outcome):
                    pushes.append(made)
                    continue
                found: list[Push] = []
                refused: Outcome | None = None
                for part in parts_of(made):
                    ends = next(lists)
                    if isinstance(ends, Outcome):
                        refused = refused or ends
                    elif ends.topics or ends.expiring or made.along or made.effects:
                        refused = refused or Outcome("unsent", "pushes alone cannot publish it")
                    else:
                        for key in ends.keys:
                            if key not in keys:
                                keys[key] = transport.prefixed(key)
                        found += [Push(keys[key], part.payload) for key in ends.keys]
                pushes.append(refused or found)
            return pushes

    def server(self) -> tuple[str, int] | None:
        with self._lock:
            return self._transport.server() if isinstance(self._transport, RedisLists) else None

    def asked(self) -> bool:
        return isinstance(self._transport, RedisLists) and self._transport.asked

    def _sent(
        self, messages: Sequence[Message], may_go_on: Callable[[], bool]
    ) -> Sequence[Outcome]:
        # Never raises: each message gets an outcome.
        try:
            return self._transport.send(messages, may_go_on)
        except Exception as error:
            # No transport should raise here; if one does, each message may or may not be sent.
            self._transport.close()
            return [Outcome("unknown", one_line(error))] * len(messages)

    def _inside(self, run: Run, may_go_on: Callable[[], bool]) -> Outcome:
        # Celery's own apply_async sends the signals of celery. Events about the message follow only
        # after the message was confirmed.
        if run.entry.canvas is not None:

            def send_part(part: CeleryMessage) -> Outcome:
                (ended,) = self._sent([self._renderer.encoder.message(part, run)], may_go_on)
                return ended

            begin = self._chord_writes.make
            ended = send_inside(self._app, self._producer, run, send_part, begin)
            return with_largest_step(ended, run.entry)
        outcome: Outcome | None = None

        def send(celery_message: CeleryMessage) -> None:
            nonlocal outcome
            if outcome is None:
                refuse_pickle(self._app, celery_message, run)
            message = self._renderer.encoder.message(celery_message, run)
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
    """Messages that were built a few milliseconds before their runs are due.

    `at` is the time at which they were built, by `monotonic()`. A run whose message cannot be built
    has an outcome instead.
    """

    runs: Sequence[Run]
    messages: Sequence[Message | Outcome]
    at: float


def listened_to() -> bool:
    """Return True if this process has a receiver for a publish signal of celery.

    Such a receiver may read or change a message at the moment of sending.
    """
    return any(
        signal.receivers
        for signal in (
            signals.before_task_publish,
            signals.after_task_publish,
            signals.task_sent,
        )
    )
