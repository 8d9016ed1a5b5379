"""The scheduler class that celery loads for `-S beatd` and `worker -B --scheduler beatd`.

The daemon runs on a thread of its own, and `tick` only watches it. Celery's signal handler may
interrupt the main thread at any moment, so this thread must not hold a lock or a connection.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from billiard.process import current_process
from celery import beat
from celery.utils.log import get_logger
from msgspec.structs import replace

from beatd.catalog import EditableCatalog
from beatd.celery.beat_schedule_sync import BeatScheduleSync
from beatd.celery.settings import config_of
from beatd.clock import Clock, SystemClock
from beatd.config import Config, schemes
from beatd.daemon.daemon import Daemon
from beatd.daemon.housekeeping import Declares
from beatd.daemon.parts import Parts
from beatd.edits import editing, entry_change
from beatd.edits.ownership import author_for
from beatd.entry import Entry
from beatd.errors import BeatError
from beatd.imports.celerybeat_schedule import read_celerybeat_schedule
from beatd.observers.log import LogObserver
from beatd.secret import masked
from beatd.sources.app import App
from beatd.wiring.build import daemon_of

logger = get_logger(__name__)
WATCH_S = 1.0  # how long `tick` watches before celery checks whether it is to stop
STOP_TIMEOUT_S = 15.0


class BeatdScheduler(beat.Scheduler):  # type: ignore[misc]
    """Runs a beatd daemon in place of celery's scheduler.

    As in celery, `schedule` is the dict of the entries that this app declares. The store may have
    more entries.
    """

    max_interval = 1

    def __init__(
        self,
        app: Any,
        *args: Any,
        schedule_filename: str | None = None,
        lazy: bool = False,
        **kwargs: Any,
    ) -> None:
        self.config = config_of(app, schedule_filename)
        self._file = Path(schedule_filename or app.conf.beat_schedule_filename)
        self._running: _RunningDaemon | None = None
        self._closed = False
        self._sync = BeatScheduleSync(self._maybe_entry)
        super().__init__(app, *args, lazy=lazy, **kwargs)

    # celery's dict of entries, synchronised with the app's beat_schedule

    def setup_schedule(self) -> None:
        """Read the entries that the app declares, without opening the store.

        The first call of `tick` opens the store, after celery has sent its signal beat_init.
        """
        self.merge_inplace(self.app.conf.beat_schedule)
        self.install_default_entries(self.schedule)
        self._sync.start(self.schedule, self.app.conf.beat_schedule)

    def install_default_entries(self, data: Mapping[str, Any]) -> None:
        """Add celery's entry that deletes old results, if the result backend can be created."""
        with suppress(Exception):
            super().install_default_entries(data)

    def merge_inplace(self, b: Mapping[str, Any]) -> None:
        """Replace all entries of `schedule` by the entries of `b`.

        Each entry becomes a new object, because an edit is recognised by a new object.
        """
        for name in set(self.schedule) - set(b):
            del self.schedule[name]
        self.update_from_dict(b)

    def _maybe_entry(self, name: str, entry: Any) -> Any:
        if entry is None:
            return None
        try:
            return super()._maybe_entry(name, entry)
        except Exception:
            # A project's own schedule may raise anything, and beatd has keys that celery does not
            # know. The daemon reads the entry as it is written, and reports its faults.
            return entry

    def _synchronise(self) -> None:
        self._sync.update(self.schedule, self.app.conf.beat_schedule)

    # what celery calls

    def tick(self, *_: Any, **__: Any) -> float:
        """Watch the daemon for up to a second; the first call starts it.

        Returns the seconds that celery must wait before the next call: 0.0, or 1.0 after `close`.
        If an error ended the daemon, that error is raised.
        """
        if self._closed:
            return WATCH_S
        if self._running is None:
            self._running = _RunningDaemon(self.app, self.config, self._file, self._synchronise)
        self._running.watch(min(WATCH_S, self.max_interval or WATCH_S))
        return 0.0

    def close(self) -> None:
        """Stop the daemon after its current batch, and close its connections."""
        self._closed = True
        running, self._running = self._running, None
        if running is not None:
            running.stop()
        super().close()

    @property
    def info(self) -> str:
        """Return the store and lock URLs, passwords masked, as celery prints them at its start."""
        store = self.config.store.url
        lock = schemes.lock_url(store, self.config.lock.url)
        return f"    . store -> {masked(store)}\n    . lock -> {masked(lock)}"


class _RunningDaemon:
    # `file` is the schedule file of celery's own scheduler. `synchronise` copies edits of celery's
    # dict of entries to the app. The constructor starts the thread, and makes SIGTERM end the
    # process cleanly.
    def __init__(
        self, app: Any, config: Config, file: Path, synchronise: Callable[[], None]
    ) -> None:
        clock = SystemClock()
        self._parent = os.getppid() if _is_embedded() else None
        self._ended = threading.Event()
        self._error: BaseException | None = None

        def parts(made: Parts) -> Parts:
            assert made.declaring is not None, "an app declares something"
            source = App(app, shown=config.shown, name=config.name, clock=clock)
            declaring = _WithLastRuns(made.declaring, source, file, clock, synchronise)
            return replace(made, declaring=declaring)

        self.daemon: Daemon = daemon_of(
            config, clock=clock, app=app, observers=(LogObserver(),), parts=parts
        )
        self._thread = threading.Thread(target=self._run, name="beatd beat", daemon=True)
        _end_on_sigterm()
        self._thread.start()

    def _run(self) -> None:
        try:
            self.daemon.run()
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def watch(self, seconds: float) -> None:
        """Wait for `seconds`, and then as long as the daemon makes no progress.

        Celery's health check takes a returned `tick` as a sign of progress. Raises the error that
        ended the daemon, if any, and SystemExit in a worker's beat (`worker -B`) without its
        worker.
        """
        while True:
            if self._ended.wait(seconds):
                if self._error is not None:
                    raise self._error
                return
            if self._parent is not None and os.getppid() != self._parent:
                logger.warning("beatd: the worker that had this beat is gone; ending")
                raise SystemExit
            if self.daemon.alive():
                return

    def stop(self) -> None:
        """Stop the daemon after its current batch; wait at most STOP_TIMEOUT_S for its end."""
        self.daemon.stop()
        self._thread.join(STOP_TIMEOUT_S)


class _WithLastRuns:
    # Applies the entries of an app, after it imported their last runs from celery's own file.
    # `file` is the schedule file of celery's scheduler; it is read only if this app's entries were
    # never applied. Before each call, `synchronise` copies edits of celery's dict of entries to the
    # app.
    def __init__(
        self,
        declaring: Declares,
        source: App,
        file: Path,
        clock: Clock,
        synchronise: Callable[[], None],
    ) -> None:
        self._declaring, self._source, self._file, self._clock = declaring, source, file, clock
        self._synchronise = synchronise
        self.conflicts, self.digest = declaring.conflicts, declaring.digest
        self.unapplied, self.compare_again = declaring.unapplied, declaring.compare_again
        self.needs_reload = declaring.needs_reload
        self._last_runs_read = False

    def __call__(
        self,
        catalog: EditableCatalog,
        nth_lead: int,
        released: Callable[[], None],
        lasts: Callable[[], bool],
    ) -> bool:
        self._synchronise()
        if nth_lead and not self._last_runs_read:
            declared = self._source.read().declared
            if catalog.marks.applied(declared.source) is None:
                self._write_last_runs(catalog, declared.entries)
            self._last_runs_read = True
        return self._declaring(catalog, nth_lead, released, lasts)

    def _write_last_runs(self, catalog: EditableCatalog, entries: Sequence[Entry]) -> None:
        last_runs = last_runs_in(self._file)
        there = editing.rows(catalog, [entry.name for entry in entries if entry.name in last_runs])
        now = editing.present(catalog, self._clock)
        changes = []
        for entry in entries:
            if entry.name in last_runs and entry.name not in there:
                last, runs = last_runs[entry.name]
                changes.append(
                    entry_change.added(entry, now, author_for(entry.source), runs=runs, last=last)
                )
        for batch in editing.in_batches(changes):
            catalog.write(batch)
        if changes:
            counted = f"{len(changes)} {'entry' if len(changes) == 1 else 'entries'}"
            logger.info("beatd: added the last runs of %s from %s", counted, self._file)


def last_runs_in(file: Path) -> dict[str, tuple[Any, int]]:
    """Return the last run and the number of runs of each entry in celery beat's schedule file.

    Entries that never ran are left out. The result is empty if there is no such file, or if the
    file cannot be read, which is logged.
    """
    if not any(Path(f"{file}{suffix}").exists() for suffix in ("", ".db", ".dat")):
        return {}
    try:
        read = read_celerybeat_schedule(file)
    except BeatError as error:
        logger.warning("beatd: last runs cannot be read: %s", error)
        return {}
    return {one.name: (one.last, one.runs) for one in read.found if one.runs}


def _is_embedded() -> bool:
    """Return True if this process is the beat of `worker -B`.

    Such a process continues to run when its worker is killed.
    """
    return beat._Process is not None and isinstance(current_process(), beat._Process)


def _end_on_sigterm() -> None:
    """Make SIGTERM raise SystemExit, if SIGTERM has its default action as in `worker -B`.

    The default action would end the process while it is still the leader. Nothing changes if this
    is not the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:

        def end(_signal: int, _frame: Any) -> None:
            raise SystemExit

        signal.signal(signal.SIGTERM, end)
