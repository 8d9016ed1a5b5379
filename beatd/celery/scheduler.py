"""beatd inside celery's own commands: `celery beat -S beatd`, `celery worker -B --scheduler beatd`.

The daemon runs on a thread of its own and `tick` only watches it: celery's signal handler may come
at any moment, and must find the thread that it interrupts holding nothing.
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

from beatd.celery.schedule_dict import InStep
from beatd.celery.settings import config_of
from beatd.clock import Clock, SystemClock
from beatd.config import Config, schemes
from beatd.daemon.daemon import Daemon
from beatd.daemon.housekeeping import Declares
from beatd.daemon.parts import Parts
from beatd.edits import editing
from beatd.entry import Entry
from beatd.errors import BeatError
from beatd.imports.celerybeat_schedule import read_celerybeat_schedule
from beatd.observers.log import LogObserver
from beatd.secret import masked
from beatd.sources.app import App
from beatd.store import Store
from beatd.wiring.build import daemon_of

logger = get_logger(__name__)
LOOKS = 1.0  # how long `tick` watches before celery may ask whether to stop


class BeatdScheduler(beat.Scheduler):  # type: ignore[misc]
    """What celery needs of a scheduler; `schedule` is what this app declares, not what runs."""

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
        self._beat: _Beat | None = None
        self._closed = False
        self._in_step = InStep(self._maybe_entry)
        super().__init__(app, *args, lazy=lazy, **kwargs)

    # what is declared: celery's dict of entries, in step with the app's beat_schedule

    def setup_schedule(self) -> None:
        """Reads the app alone: the store is opened by the first tick, after beat_init was sent."""
        self.merge_inplace(self.app.conf.beat_schedule)
        self.install_default_entries(self.schedule)
        self._in_step.begin(self.schedule, self.app.conf.beat_schedule)

    def install_default_entries(self, data: Mapping[str, Any]) -> None:
        # A backend that cannot even be made here is not one to clean up from here.
        with suppress(Exception):
            super().install_default_entries(data)

    def merge_inplace(self, b: Mapping[str, Any]) -> None:
        """As celery's; each entry is a new one, which is how an edit is known."""
        for name in set(self.schedule) - set(b):
            del self.schedule[name]
        self.update_from_dict(b)

    def _maybe_entry(self, name: str, entry: Any) -> Any:
        if entry is None:
            return None
        try:
            return super()._maybe_entry(name, entry)
        except Exception:
            # Whatever a project's own schedule raises, and keys that are beatd's alone: the daemon
            # reads it as it was written, and says what is wrong where something is.
            return entry

    def _follow(self) -> None:
        self._in_step.follow(self.schedule, self.app.conf.beat_schedule)

    # what celery asks of it

    def tick(self, *_: Any, **__: Any) -> float:
        """Watches for a moment; the thread beside it does the work. Raises what ended that."""
        if self._closed:
            return LOOKS
        if self._beat is None:
            self._beat = _Beat(self.app, self.config, self._file, self._follow)
        self._beat.watch(min(LOOKS, self.max_interval or LOOKS))
        return 0.0

    def close(self) -> None:
        """Finish the batch, give the lead up, let go of everything; may be called again."""
        self._closed = True
        running, self._beat = self._beat, None
        if running is not None:
            running.stop()
        super().close()

    @property
    def info(self) -> str:
        store = self.config.store.url
        lock = schemes.lock_url(store, self.config.lock.url)
        return f"    . store -> {masked(store)}\n    . lock -> {masked(lock)}"


class _Beat:
    """The daemon on its thread, as one app's scheduler runs it."""

    def __init__(self, app: Any, config: Config, file: Path, follow: Callable[[], None]) -> None:
        clock = SystemClock()
        self._parent = os.getppid() if _is_embedded() else None
        self._ended = threading.Event()
        self._error: BaseException | None = None

        def parts(made: Parts) -> Parts:
            assert made.declaring is not None, "an app declares something"
            source = App(app, shown=config.shown, name=config.name, clock=clock)
            return replace(made, declaring=_WithPast(made.declaring, source, file, clock, follow))

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
        """Return after a moment while the beat is alive; a stuck one keeps us, as celery's own
        health check expects of a stuck scheduler."""
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
        self.daemon.stop()
        self._thread.join(15.0)


class _WithPast:
    """Before the first set of an app is applied, its entries get the last runs that celery's own
    scheduler left in its file; before each look the app hears of what its scheduler was told."""

    def __init__(
        self,
        declaring: Declares,
        source: App,
        file: Path,
        clock: Clock,
        follow: Callable[[], None],
    ) -> None:
        self._declaring, self._source, self._file, self._clock = declaring, source, file, clock
        self._follow = follow
        self.conflicts, self.digest = declaring.conflicts, declaring.digest
        self.unapplied, self.compare_again = declaring.unapplied, declaring.compare_again
        self._done = False

    def __call__(
        self, store: Store, term: int, released: Callable[[], None], lasts: Callable[[], bool]
    ) -> bool:
        self._follow()
        if term and not self._done:
            declared = self._source.read().declared
            if store.applied(declared.source) is None:
                self._bring(store, declared.entries)
            self._done = True
        return self._declaring(store, term, released, lasts)

    def _bring(self, store: Store, entries: Sequence[Entry]) -> None:
        did = past_of(self._file)
        there = editing.rows(store, [entry.name for entry in entries if entry.name in did])
        now = editing.present(store, self._clock)
        changes = []
        for entry in entries:
            if entry.name in did and entry.name not in there:
                last, runs = did[entry.name]
                changes.append(editing.new(entry, now, runs=runs, last=last))
        for batch in editing.in_batches(changes):
            store.write(batch)
        if changes:
            counted = f"{len(changes)} {'entry' if len(changes) == 1 else 'entries'}"
            logger.info("beatd: %s told the last runs of %s", self._file, counted)


def past_of(file: Path) -> dict[str, tuple[Any, int]]:
    """Last run and count by name, from a file of celery's PersistentScheduler; nothing where there
    is none, or none that can be read."""
    if not any(Path(f"{file}{suffix}").exists() for suffix in ("", ".db", ".dat")):
        return {}
    try:
        read = read_celerybeat_schedule(file)
    except BeatError as error:
        logger.warning("beatd: last runs are not taken over: %s", error)
        return {}
    return {one.name: (one.last, one.runs) for one in read.found if one.runs}


def _is_embedded() -> bool:
    """Whether this is the process of `worker -B`, which would outlive a killed worker."""
    return beat._Process is not None and isinstance(current_process(), beat._Process)


def _end_on_sigterm() -> None:
    """In `worker -B` celery leaves SIGTERM at its default, which would end us with the lead."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:

        def end(_signal: int, _frame: Any) -> None:
            raise SystemExit

        signal.signal(signal.SIGTERM, end)
