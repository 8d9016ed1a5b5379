"""Send messages to RabbitMQ, which confirms each of them.

Up to two thousand messages may be unconfirmed at a time. When the broker refuses a message, it
closes the channel, and the confirms of all unconfirmed messages are lost. So the first message to
an exchange is sent alone. After a refusal every message is sent alone, until a whole batch has had
no refusal.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import amqp
from kombu import Connection

from beatd.publisher import LEAD_LOST, Outcome
from beatd.publishers.amqp_frames import AmqpFrames, FramesOfRun, frames
from beatd.publishers.confirms import Confirms
from beatd.publishers.message import (
    CeleryMessage,
    Message,
    Route,
    RunTemplate,
    Transport,
    TransportTemplate,
    one_line,
)

MESSAGES_PER_WRITE = 250
UNCONFIRMED_MAX = 2000

PUBLISHING, DECLARING = 1, 2  # numbers of channels, which stand in frames

REFUSED = (amqp.ChannelError, amqp.exceptions.IrrecoverableConnectionError)
ROUTES_KEPT_MAX = 2000  # whose queues are known to be declared


class RabbitMQ(Transport):
    """Sends messages to RabbitMQ over one connection, and waits until it confirms each of them.

    One channel publishes messages, another declares queues.
    """

    def __init__(self, *, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        connection.transport_options = {
            **connection.transport_options,
            "on_blocked": self._on_blocked,
            "on_unblocked": self._on_unblocked,
        }
        self._link: Any = None
        self._spoken_at = 0.0
        self._blocked = ""
        self._careful = False
        self._reliable: set[str] = set()  # exchanges that have taken a message on this channel
        self._declared: dict[
            Route, str
        ] = {}  # why the broker refused the queue; at most ROUTES_KEPT_MAX
        self._confirms = Confirms()

    def open(self) -> str:
        for last in (False, True):
            try:
                self._open()
                break
            except Exception as error:
                # py-amqp shows a lost connection in many ways, AttributeError among them.
                self._drop()
                # The connection may have died while it was idle: connect once more, but not after
                # a time-out.
                if last or isinstance(error, TimeoutError):
                    return one_line(error)
        return self._blocked

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        return AmqpFrames(celery_message, PUBLISHING)

    def run_template(
        self, celery_message: CeleryMessage, places: Mapping[str, int]
    ) -> RunTemplate | None:
        return FramesOfRun(celery_message, PUBLISHING, places)

    def pack(self, celery_message: CeleryMessage) -> bytes:
        return frames(celery_message, PUBLISHING)

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        deadline = monotonic() + self._timeout
        confirms = self._confirms
        confirms.begin(messages)
        why = self._send(messages, range(len(messages)), deadline, may_go_on)
        # A queue that was declared has been deleted since. No queue has a returned message, so it
        # may be sent again.
        again = [place for place in confirms.returned if messages[place].route.declare]
        if again and not why:
            for place in again:
                self._declared.pop(messages[place].route, None)
                confirms.again(place)
            why = self._send(messages, sorted(again), deadline, may_go_on)
            for place in confirms.returned:
                if refused := self._declared.get(messages[place].route):
                    came_back = confirms.ended[place].reason
                    confirms.ended[place] = Outcome("rejected", f"{came_back}; {refused}")
        unsent = Outcome("unsent", why)
        return [confirms.ended.get(place, unsent) for place in range(len(messages))]

    def reachable(self) -> bool:
        self._spoken_at = 0.0
        self.why = self.open()
        return not self.why

    def close(self) -> None:
        if self._link is not None:
            # With a goodbye, the broker's log names no lost client.
            with suppress(Exception), self._link.transport.having_timeout(0.2):
                self._link.close()
        self._drop()

    def _send(
        self,
        messages: Sequence[Message],
        places: Iterable[int],
        deadline: float,
        may_go_on: Callable[[], bool],
    ) -> str:
        # After a refusal, this connects again. The result is "" or why some messages were not sent.
        left = deque(places)
        accident = False
        while True:
            if why := self.open():
                return why
            try:
                self._declare({messages[place].route for place in left})
                why = self._publish(messages, left, deadline, may_go_on)
                self._careful = accident
                return why
            except REFUSED as error:
                # The refusal is of the only unconfirmed message; of several it may be of any.
                sure = len(self._confirms.waiting) == 1
                self._confirms.abandon(Outcome("rejected" if sure else "unknown", one_line(error)))
                self._careful = accident = True
                self._drop()
            except Exception as error:
                self._confirms.abandon(Outcome("unknown", one_line(error)))
                if not self._blocked:
                    self._drop()
                return self._blocked or one_line(error)

    def _publish(
        self,
        messages: Sequence[Message],
        left: deque[int],
        deadline: float,
        may_go_on: Callable[[], bool],
    ) -> str:
        # Each written index is removed from `left`. Raises an error if the broker refuses a message
        # or the connection fails.
        named: set[str] = set()  # a named exchange may be gone by the next batch
        while left:
            why = self._blocked or ("" if may_go_on() else LEAD_LOST)
            if monotonic() > deadline:
                why = f"no time left after {self._timeout:g} s"
            if why:
                self._wait(0, deadline)
                return why
            exchange = messages[left[0]].route.exchange
            known = named if exchange else self._reliable
            if self._careful or exchange not in known:
                self._wait(0, deadline)
                self._write(messages, [left.popleft()], deadline)
                self._wait(0, deadline)
                known.add(exchange)
                continue
            some: list[int] = []
            while left and len(some) < MESSAGES_PER_WRITE:
                exchange = messages[left[0]].route.exchange
                if exchange not in (named if exchange else self._reliable):
                    break
                some.append(left.popleft())
            self._write(messages, some, deadline)
            self._wait(UNCONFIRMED_MAX - MESSAGES_PER_WRITE, deadline)
        self._wait(0, deadline)
        return ""

    def _write(self, messages: Sequence[Message], places: list[int], deadline: float) -> None:
        for place in places:
            self._confirms.written(place)
        transport = self._link.transport
        with transport.having_timeout(max(0.01, deadline - monotonic())):
            transport.write(b"".join([messages[place].payload for place in places]))

    def _wait(self, most: int, deadline: float) -> None:
        # Raises TimeoutError after the deadline.
        while len(self._confirms.waiting) > most:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError(f"no confirm within {self._timeout:g} s")
            try:
                self._link.drain_events(timeout=left)
            except TimeoutError:
                continue
            self._spoken_at = monotonic()

    def _declare(self, routes: set[Route]) -> None:
        if len(self._declared) > ROUTES_KEPT_MAX:
            self._declared.clear()
        for route in routes - self._declared.keys():
            self._declared[route] = ""
            for entity in route.declare:
                with self._link.transport.having_timeout(self._timeout):
                    try:
                        entity(self._link.channel(DECLARING)).declare()
                    except amqp.ChannelError as error:
                        # No error yet: the queue may exist with other arguments, such as a quorum
                        # queue. If there is none, the broker returns each message, as they are
                        # `mandatory`.
                        self._declared[route] = one_line(error)

    def _open(self) -> None:
        # Connect if necessary. The broker must have answered within the last second, or answer
        # now; one that blocks publishers is not checked.
        if self._link is not None:
            self._look()
            if self._blocked or monotonic() - self._spoken_at < 1.0:
                return
        else:
            self._connect()
        # One round trip before the first message: a frozen broker does not answer it.
        with self._link.transport.having_timeout(self._timeout):
            self._link.channel(DECLARING).basic_qos(0, 1, False)
        self._spoken_at = monotonic()

    def _connect(self) -> None:
        connection = self._connection
        connection.ensure_connection(
            max_retries=1 + len(connection.alt or ()),
            interval_start=0,
            interval_step=0,
            timeout=self._timeout,
            reraise_as_library_errors=False,
        )
        self._link = link = connection.connection
        with link.transport.having_timeout(self._timeout):
            channel = link.channel(PUBLISHING)
            channel.confirm_select()
        self._confirms.new_channel()
        channel.events["basic_ack"].add(self._confirms.on_ack)
        channel.events["basic_nack"].add(self._confirms.on_nack)
        channel.events["basic_return"].add(self._confirms.on_return)

    def _look(self) -> None:
        while True:
            try:
                self._link.drain_events(timeout=0)
            except TimeoutError:
                return

    def _drop(self) -> None:
        self._link = None
        self._blocked = ""
        self._reliable.clear()
        self._declared.clear()
        self._connection.collect(socket_timeout=0.1)

    def _on_blocked(self, reason: str) -> None:
        self._blocked = f"the broker blocks publishers: {reason}"

    def _on_unblocked(self) -> None:
        self._blocked = ""
