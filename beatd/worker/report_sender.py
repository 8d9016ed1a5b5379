"""Send a worker's reports in batches, on a thread of the worker's parent process."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Protocol

from beatd.report import HELD_EVERY_S, Report, Reports, encode
from beatd.worker.rare_warning import RareWarning

# If a worker is killed before it has reported a run, that run counts as running for its `max_run`.
GATHER_S = 0.005  # between the first report and its message, which has all reports of that time
GATHER_WHEN_BUSY_S = 0.05  # after a message of BUSY_REPORTS or more: each message costs CPU time
BUSY_REPORTS = 10
PROCESS_LOOK_S = 0.02  # while a terminated process may not have ended yet
LOOK_EVERY_S = 1.0  # whether it is time to list the runs that are held
REPORTS_PER_MESSAGE = 500
HELD_PER_MESSAGE = 2_000
MAX_BYTES = 120_000  # of a message; kombu's encoding adds a third, and SQS refuses 256 KiB
MAX_REFUSALS = 5  # of one message, not counting a broker that is away
MAX_WAITING = 10_000  # reports that wait for a broker that is away
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 5.0


class Line(Protocol):
    """A connection to the broker for sending messages.

    `send` returns True if the broker has the message, and False if the queue is full. It raises
    OSError if the broker cannot be reached, and any other exception if the broker refuses the
    message.
    """

    def send(self, body: bytes) -> bool: ...

    def close(self) -> None: ...


class ReportSender:
    """Sends a worker's reports in batches, on a thread that starts with the first report.

    `open_line` connects to the broker. The result of `held`, the runs that the worker has, is sent
    every HELD_EVERY_S seconds. `waits_for_process` reports terminated tasks whose process has
    ended, and returns True if others still run.

    While the broker cannot be reached, up to MAX_WAITING reports wait; older ones are dropped and
    counted.
    """

    def __init__(
        self,
        *,
        open_line: Callable[[], Line],
        worker: str,
        held: Callable[[], Sequence[tuple[str, str]]],
        waits_for_process: Callable[[], bool] = lambda: False,
    ) -> None:
        self._open_line = open_line
        self._worker = worker
        self._held = held
        self._waits_for_process = waits_for_process
        # `add` only appends: it may run in a signal handler, where a lock could wait for ever.
        self._waiting: deque[Report] = deque(maxlen=MAX_WAITING)
        self._dropped = 0
        self._line: Line | None = None
        self._thread: Thread | None = None
        # Locked while there is nothing to send. To release it never waits, unlike to set an Event.
        self._has_work = Lock()
        self._has_work.acquire()
        self._is_busy = False
        self._ending = Event()
        self._end_by = 0.0  # monotonic; only once `_ending` is set
        self._warning = RareWarning()

    def add(self, report: Report) -> None:
        """Queue a report for sending, without waiting; a full queue drops its oldest report."""
        if len(self._waiting) == MAX_WAITING:
            self._dropped += 1
        self._waiting.append(report)
        if self._thread is None:
            self._start()
        self.wake()

    def wake(self) -> None:
        """Wake up the sending thread, without waiting for it."""
        with suppress(RuntimeError):  # it is awake already
            self._has_work.release()

    def _start(self) -> None:
        self._thread = Thread(target=self._run, name="beatd-reports", daemon=True)
        self._thread.start()

    def close(self, within_s: float) -> None:
        """Send the waiting reports, for at most `within_s` seconds, and end the sending thread."""
        if self._thread is None or self._ending.is_set():
            return
        self._end_by = time.monotonic() + within_s
        self._ending.set()
        self.wake()
        self._thread.join(within_s)

    def _run(self) -> None:
        list_at = time.monotonic() + HELD_EVERY_S
        ending, pause_s = False, LOOK_EVERY_S
        while not ending:
            if self._has_work.acquire(timeout=pause_s):
                self._ending.wait(GATHER_WHEN_BUSY_S if self._is_busy else GATHER_S)
            ending = self._ending.is_set()
            try:
                pause_s = PROCESS_LOOK_S if self._waits_for_process() else LOOK_EVERY_S
                self._send_reports()
                if time.monotonic() >= list_at and not ending:
                    list_at = time.monotonic() + HELD_EVERY_S
                    self._send_held()
            except Exception as error:
                self._warning.warn("reports of runs are lost", error)
        self._close_line()

    def _send_reports(self) -> None:
        self._is_busy = len(self._waiting) >= BUSY_REPORTS
        while self._waiting:
            # Only this thread removes reports, but `add` may drop the oldest meanwhile.
            size = min(len(self._waiting), REPORTS_PER_MESSAGE)
            self._send_batch([self._waiting.popleft() for _ in range(size)])

    def _send_batch(self, batch: list[Report]) -> None:
        dropped = self._dropped
        body = encode(Reports(worker=self._worker, reports=tuple(batch), dropped=dropped))
        if len(body) > MAX_BYTES and len(batch) > 1:
            self._send_batch(batch[: len(batch) // 2])
            self._send_batch(batch[len(batch) // 2 :])
        elif self._send(body):
            self._dropped -= dropped
        else:
            # The next message says how many reports were not sent.
            self._dropped += len(batch)

    def _send_held(self) -> None:
        held = self._held()
        for start in range(0, len(held), HELD_PER_MESSAGE):
            chunk = tuple(held[start : start + HELD_PER_MESSAGE])
            self._send(encode(Reports(worker=self._worker, held=chunk)))

    def _send(self, body: bytes) -> bool:
        # Retries until the broker has the message. False if the queue is full, the broker refused
        # the message MAX_REFUSALS times, or the time of `close` is over.
        pause = FIRST_PAUSE_S
        refusals = 0
        while refusals < MAX_REFUSALS:
            try:
                if self._line is None:
                    self._line = self._open_line()
                if not self._line.send(body):
                    self._warning.warn("reports of runs are dropped: nobody reads their queue")
                    return False
                return True
            except Exception as error:
                refusals += not isinstance(error, OSError)
                self._warning.warn("the broker does not accept reports of runs; they wait", error)
                self._close_line()
            if self._ended_within(pause):
                return False
            pause = min(2 * pause, MAX_PAUSE_S)
        return False

    def _ended_within(self, pause: float) -> bool:
        # Until the time to close is over, each call waits a little and allows a new attempt.
        if self._ending.wait(pause):
            time.sleep(FIRST_PAUSE_S)
            return time.monotonic() >= self._end_by
        return False

    def _close_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            try:
                line.close()
            except Exception as error:
                self._warning.warn("a connection for reports of runs was not closed", error)
