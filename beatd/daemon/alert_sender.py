"""Send alert messages to all channels, with one thread for each channel.

A channel that hangs does not delay the others.
"""

import threading
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from beatd.alerts.channel import Channel, NotDelivered
from beatd.alerts.message import Message
from beatd.clock import Clock
from beatd.events import AlertNotSent, AlertSent, Observer

WAITING_MAX = 100  # messages of one channel; then the oldest is dropped
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0  # between two tries
RETRIED_FOR_S = 3600.0
TRIES_BEFORE_FAILING = 3  # then the other channels' success is enough


class Posted:
    """Progress of one message: how many channels have sent it, given up, or still try."""

    def __init__(self, message: Message, channels: int) -> None:
        self.message = message
        self._waiting, self._sent = channels, 0
        self._failing = 0
        self._guard = threading.Lock()

    @property
    def is_settled(self) -> bool:
        """True if the message counts as done, so that no further channel result is needed.

        All channels have sent it or given up; or one has sent it, and all that still try failed
        several times.
        """
        with self._guard:
            return not self._waiting or (self._sent > 0 and self._failing == self._waiting)

    def failing(self) -> None:
        """Record that one more channel failed several times but still tries."""
        with self._guard:
            self._failing += 1

    def ended(self, *, sent: bool, was_failing: bool) -> None:
        """Record that one channel is finished: it sent the message or gave up.

        `was_failing` is True if `failing` was called for that channel before.
        """
        with self._guard:
            self._waiting -= 1
            self._sent += sent
            self._failing -= was_failing


class AlertSender:
    """Sends each message to all channels in background threads, and retries after a failure.

    Neither a caller nor the end of the process waits for these threads. An event is emitted for
    each message sent and each failure.
    """

    def __init__(self, channels: Sequence[Channel], *, clock: Clock, observer: Observer) -> None:
        self._lines = [_Line(channel, clock, observer) for channel in channels]

    def post(self, message: Message) -> Posted:
        """Queue a message for every channel, and return an object that shows its progress."""
        posted = Posted(message, len(self._lines))
        for line in self._lines:
            line.add(posted)
        return posted

    def stop(self) -> None:
        """Make every sending thread end after its current attempt; do not wait for that."""
        for line in self._lines:
            line.stop()


class _Waiting(Struct):
    posted: Posted
    first_tried_at: float | None = None
    tries: int = 0


class _Line:
    """The queue of messages for one channel, and the thread that sends them in order."""

    def __init__(self, channel: Channel, clock: Clock, observer: Observer) -> None:
        self._channel, self._clock, self._observe = channel, clock, observer
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, posted: Posted) -> None:
        with self._changed:
            if len(self._waiting) >= WAITING_MAX:
                # The first one may be under way.
                oldest = self._waiting[1]
                del self._waiting[1]
                self._end(oldest, sent=False, reason="too many messages wait")
            self._waiting.append(_Waiting(posted))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="beatd alerts to a channel")
                self._thread.daemon = True
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        self._stopping.set()
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                if not self._waiting:
                    self._changed.wait()
                    continue
                first = self._waiting[0]
            pause = self._try(first)
            if pause is None:
                with self._changed:
                    self._waiting.remove(first)
            else:
                self._clock.wait(pause, self._stopping)

    def _try(self, one: _Waiting) -> float | None:
        # The result is the seconds until the next attempt, or None if there is none.
        if one.first_tried_at is None:
            one.first_tried_at = self._clock.elapsed()
        try:
            self._channel.send(one.posted.message)
        except Exception as error:  # whatever a library raises, the thread must go on
            one.tries += 1
            over = self._clock.elapsed() - one.first_tried_at > RETRIED_FOR_S
            known = isinstance(error, NotDelivered)
            reason = str(error) if known else repr(error)
            if over or (isinstance(error, NotDelivered) and error.is_final):
                self._end(one, sent=False, reason=reason)
                return None
            if one.tries == TRIES_BEFORE_FAILING:
                one.posted.failing()
            message = one.posted.message
            self._observe(AlertNotSent(self._channel.shown, message.title, reason, final=False))
            return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (one.tries - 1)))
        self._end(one, sent=True)
        return None

    def _end(self, one: _Waiting, *, sent: bool, reason: str = "") -> None:
        message = one.posted.message
        if sent:
            self._observe(AlertSent(self._channel.shown, message.title, message.count))
        else:
            self._observe(AlertNotSent(self._channel.shown, message.title, reason, final=True))
        one.posted.ended(sent=sent, was_failing=one.tries >= TRIES_BEFORE_FAILING)
