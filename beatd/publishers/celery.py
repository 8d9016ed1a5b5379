"""The publisher: the message celery beat would send, to whichever broker the app has."""

import threading
from collections.abc import Callable, Sequence

from celery import Celery, signals

from beatd.publisher import Outcome, Push
from beatd.publishers.capture import CatchingProducer
from beatd.publishers.celery_message import Unbuildable, apply_async, refuse_pickle
from beatd.publishers.message import Letter, Message, one_line
from beatd.publishers.redis_lists import RedisLists
from beatd.publishers.renderer import Renderer
from beatd.publishers.transports import connection_of, wire_to
from beatd.run import Run
from beatd.secret import hidden


class CeleryPublisher:
    """Publishes through kombu to the app's broker; may be asked from several threads."""

    def __init__(self, *, app: Celery, timeout: float = 2.0) -> None:
        self._app = app
        self._lock = threading.Lock()
        connection = connection_of(app, timeout)
        self._place = hidden(connection.as_uri(include_password=not connection.password))
        self._wire = wire_to(connection, timeout)
        self._producer = CatchingProducer(connection)
        self._renderer = Renderer(app=app, producer=self._producer, wire=self._wire)

    def prepare(self, runs: Sequence[Run]) -> None:
        # Making a template is a send to those who listen.
        if not listened_to():
            with self._lock:
                self._renderer.prepare(runs)

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        with self._lock:
            if why := self._wire.open():
                return [Outcome("unsent", why)] * len(runs)
            if listened_to():
                return self._one_after_the_other(runs, may_go_on)
            rendered = self._renderer.render(runs)
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

    def forget(self, names: Sequence[str]) -> None:
        with self._lock:
            self._renderer.forget(names)

    def reachable(self) -> bool:
        with self._lock:
            return self._wire.reachable()

    def trouble(self) -> str:
        return f"{self._place}: {self._wire.why}" if self._wire.why else ""

    def on_redis(self) -> "CeleryPublisher | None":
        return self if isinstance(self._wire, RedisLists) else None

    def close(self) -> None:
        with self._lock:
            self._wire.close()

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        """An outcome says why a run cannot be told in pushes; `publish` may be able to send it."""
        with self._lock:
            wire = self._wire
            if not isinstance(wire, RedisLists):
                return [Outcome("unsent", "the broker is not a Redis")] * len(runs)
            if why := self._wire.open():
                return [Outcome("unsent", why)] * len(runs)
            if not wire.asked:
                return [Outcome("unsent", "the connection to the broker is new")] * len(runs)
            if listened_to():
                return [Outcome("unsent", "the app listens to what is sent")] * len(runs)
            rendered = self._renderer.render(runs)
            messages = [made for made in rendered if not isinstance(made, Outcome)]
            lists = iter(wire.lists(messages))
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
                    pushes.append(Outcome("unsent", "it takes more than pushes"))
                else:
                    for key in ends.keys:
                        if key not in keys:
                            keys[key] = wire.prefixed(key)
                    pushes.append([Push(keys[key], made.payload) for key in ends.keys])
            return pushes

    def server(self) -> tuple[str, int] | None:
        with self._lock:
            return self._wire.server() if isinstance(self._wire, RedisLists) else None

    def asked(self) -> bool:
        return isinstance(self._wire, RedisLists) and self._wire.asked

    def _sent(
        self, messages: Sequence[Message], may_go_on: Callable[[], bool]
    ) -> Sequence[Outcome]:
        try:
            return self._wire.send(messages, may_go_on)
        except Exception as error:
            # A wire that breaks its word leaves nothing certain.
            self._wire.close()
            return [Outcome("unknown", one_line(error))] * len(messages)

    def _one_after_the_other(
        self, runs: Sequence[Run], may_go_on: Callable[[], bool]
    ) -> Sequence[Outcome]:
        """For apps that listen to celery's publish signals: each is sent inside celery's call."""
        return [self._inside(run, may_go_on) for run in runs]

    def _inside(self, run: Run, may_go_on: Callable[[], bool]) -> Outcome:
        outcome: Outcome | None = None

        def send(letter: Letter) -> None:
            nonlocal outcome
            if outcome is None:
                refuse_pickle(self._app, letter, run)
            message = self._renderer.message(letter, run)
            (ended,) = self._sent([message], may_go_on)
            if outcome is None:
                outcome = ended
                if ended.sent != "confirmed":
                    raise Unbuildable(ended.reason)

        keep, self._producer.on_letter = self._producer.on_letter, send
        try:
            apply_async(self._app, self._producer, run)
        except Exception as error:
            # A listener may fail as well, before the message is out or after.
            return outcome or Outcome("rejected", one_line(error))
        finally:
            self._producer.on_letter = keep
        return outcome or Outcome("rejected", "celery sent nothing")


def listened_to() -> bool:
    """Whether anyone wants to see, or change, each message as it is sent."""
    return any(
        signal.receivers
        for signal in (
            signals.before_task_publish,
            signals.after_task_publish,
            signals.task_sent,
        )
    )
