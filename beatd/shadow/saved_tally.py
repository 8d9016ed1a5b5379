"""Compare beatd's planned runs with another scheduler's messages, and save the result."""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery.utils.saferepr import saferepr
from celery.utils.time import utcoffset
from msgspec import DecodeError, json

from beatd.canvas import tasks_of
from beatd.clock import Clock
from beatd.entry import Entry
from beatd.run import Run
from beatd.shadow.report import Report
from beatd.shadow.tally import ON_TIME_S, Key, Tally, args_text

SAVE_EVERY_S = 5.0


class SavedTally:
    """Compares beatd's runs with the messages that another scheduler sends, and saves a report.

    The report is the file `path`; the counts of an existing one are continued. All methods are
    thread-safe.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        now = clock.now()
        before = None
        with suppress(OSError, DecodeError):
            before = json.decode(path.read_bytes(), type=Report)
        self._since = before.since if before else now.isoformat()
        self._heard = before.heard if before else 0
        self._tally = Tally(now.timestamp(), before.entries if before else None)
        self.listening = False
        self._saved_at = float("-inf")

    def add_run(self, run: Run) -> None:
        """Add a run that beatd would send now, to be compared with the other scheduler's message.

        A run more than ON_TIME_S late, or planned while the broker is disconnected, is ignored.
        """
        now, moment = self._clock.now(), run.occurrence.planned
        if (now - moment).total_seconds() <= ON_TIME_S and self.listening:
            entry = run.entry
            with self._lock:
                self._tally.add_plan(
                    key_of(entry), entry.name, moment.timestamp(), period_of(entry)
                )

    def add_names(self, entries: Iterable[Entry]) -> None:
        """Add entries whose runs are compared; messages of other tasks are ignored."""
        with self._lock:
            for entry in entries:
                self._tally.add_name(key_of(entry), entry.name)

    def add_event(self, event: dict[str, Any]) -> None:
        """Add a message that the other scheduler sent, from Celery's event "task-sent"."""
        args, kwargs = args_text(event.get("args")), str(event.get("kwargs") or "{}")
        # celery moves the timestamp by the difference of the two hosts' zones, though it is UTC.
        sent_at = event["timestamp"] + 3600 * (event.get("utcoffset", utcoffset()) - utcoffset())
        with self._lock:
            self._heard += 1
            self._tally.add_message((str(event.get("name")), args, kwargs), sent_at)

    def set_listening(self, listening: bool) -> None:
        """Set whether the messages of the other scheduler are received now.

        A change discards all runs and messages that are not counted yet.
        """
        with self._lock:
            if listening != self.listening:
                self._tally.start_over(self._clock.now().timestamp())
            self.listening = listening

    def save(self, *, now: bool = False) -> None:
        """Write the report file, unless it was written less than SAVE_EVERY_S ago.

        With `now`, it is always written. Raises OSError if that fails.
        """
        elapsed = self._clock.elapsed()
        if not now and elapsed - self._saved_at < SAVE_EVERY_S:
            return
        self._saved_at = elapsed
        with self._lock:
            self._tally.settle(self._clock.now().timestamp())
            report = Report(
                since=self._since,
                until=self._clock.now().isoformat(),
                listening=self.listening,
                heard=self._heard,
                totals=self._tally.totals(),
                entries=dict(self._tally.figures),
            )
            content = json.encode(report)
        new = self._path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        new.replace(self._path)


def key_of(entry: Entry) -> Key:
    """Return the task, args and kwargs of an entry as texts, to find its messages in Celery
    events.

    Of a canvas, those of its first task, which is sent once in each run.
    """
    runs = entry if entry.canvas is None else next(tasks_of(entry.canvas))[1]
    kwargs = saferepr(dict(runs.kwargs)) if runs.kwargs else "{}"
    return runs.task, args_text(saferepr(list(runs.args))), kwargs


def period_of(entry: Entry) -> float | None:
    """Return the interval of an entry in seconds, or None if its schedule is not `every`."""
    period_us = entry.schedule.period
    return None if period_us is None else period_us / 1_000_000
