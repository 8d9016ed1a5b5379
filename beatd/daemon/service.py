"""The daemon as a process: signals, reloads, and what systemd is told."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from beatd.daemon.daemon import Daemon
from beatd.daemon.reload import Start, Trial
from beatd.daemon.status import state_of
from beatd.errors import BeatError
from beatd.observers.log import JsonLines, TextLines, in_words
from beatd.observers.systemd import SystemdObserver

log = logging.getLogger("beatd")
HEARD = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)  # the last: our own end

LOOKS_AT_TRIAL_EVERY_S = 0.05
LOOKS_FOR_END_EVERY_S = 0.02


class Built(Protocol):
    """A daemon and what stands around it, ready to run."""

    daemon: Daemon
    has_app: bool  # of a project: its modules stay imported for as long as the process lives

    def open(self) -> None:
        """Take what only one may have, such as a port; what ran before is closed by now."""

    def close(self) -> None: ...


def write_log(level: str, form: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger("beatd")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False


class Collects(Protocol):
    """The collector of cyclic garbage."""

    def __call__(self, free: float) -> None: ...

    def reloaded(self) -> None:
        """A daemon has ended, and nothing holds it any more."""


def serve(
    build: Callable[[], Built],
    systemd: SystemdObserver,
    idle: Collects,
    start: Start,
) -> int:
    """Run what `build` makes until SIGTERM or SIGINT; SIGHUP tries the new configuration, then
    builds anew and changes over, or starts the process again where an app must be imported anew.

    `idle` is told before each wait of the beat how long it will be.

    A build that fails at the start is the caller's to tell; one that fails at a reload is logged,
    and what runs goes on.
    """
    # Blocked before any thread is started, so that all inherit it and only this one hears.
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    with _ending_at_once():
        built = build()
    is_reload = start.is_reload
    while True:
        _open(built, is_reload)
        # Its store said yes when it was tried; to end now would leave nobody.
        built.daemon.patient = is_reload
        running = _Running(built, idle)
        systemd.ready()
        if is_reload:
            log.info("configuration reloaded")
        successor = _listen(running, systemd, build, start)
        if successor is None:
            running.stop()
        else:
            running.make_way()
        if running.error is not None:
            raise running.error
        if successor is None:
            return 0
        built, is_reload = successor(), True
        del running, successor  # or the ended daemon could not be collected
        idle.reloaded()


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """End the process at SIGTERM or SIGINT: importing an app may hang, and nothing is held yet."""
    over = threading.Event()

    def listen() -> None:
        while not over.is_set():
            heard = signal.sigtimedwait((signal.SIGTERM, signal.SIGINT), LOOKS_FOR_END_EVERY_S)
            if heard is not None:
                os._exit(0)

    listener = threading.Thread(target=listen, name="beatd start", daemon=True)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()


def _open(built: Built, is_reload: bool) -> None:
    try:
        built.open()
    except Exception as trouble:
        if not is_reload:
            raise
        unforeseen = not isinstance(trouble, BeatError)
        log.error("%s; going on without it", trouble, exc_info=unforeseen)


def _listen(
    running: "_Running", systemd: SystemdObserver, build: Callable[[], Built], start: Start
) -> Callable[[], Built] | None:
    """What makes the next one when this one has made way, or None at the end."""
    trial: Trial | None = None
    try:
        while True:
            heard = _next_signal(trial)
            if heard in (signal.SIGTERM, signal.SIGINT):
                systemd.stopping()
                return None
            if heard == signal.SIGUSR2 and running.ended.is_set():
                return None
            if heard == signal.SIGUSR1:
                state = state_of(running.built.daemon)
                log.info("state: %s", in_words(state), extra={"facts": state})
            if heard == signal.SIGHUP:
                systemd.reloading(time.monotonic_ns() // 1000)
                log.info("reloading: the new configuration is tried")
                if trial is not None:
                    trial.close()  # it may have read what was there before
                trial = _trial(start, systemd)
            if trial is not None and trial.is_over():
                try:
                    return _successor(running.built, trial, build, start)
                except Exception as refusal:
                    # Whatever it is: this thread must go on to hear, for the beat goes on.
                    _refuse(refusal, systemd)
                trial.close()
                trial = None
    finally:
        if trial is not None:
            trial.close()


def _trial(start: Start, systemd: SystemdObserver) -> Trial | None:
    """Begin to try the new configuration; None where no process can be started, such as without
    descriptors, memory or disk."""
    try:
        return start.trial()
    except OSError as error:
        _refuse(BeatError(f"it cannot be tried: {error.strerror or error}"), systemd)
        return None


def _refuse(refusal: Exception, systemd: SystemdObserver) -> None:
    """Log why the configuration that runs stays."""
    unforeseen = not isinstance(refusal, BeatError)
    log.error("configuration not reloaded, the old one stays: %s", refusal, exc_info=unforeseen)
    systemd.ready()


def _next_signal(trial: Trial | None) -> int | None:
    """The next one; None now and then, while a trial runs."""
    if trial is None:
        return signal.sigwait(HEARD)
    heard = signal.sigtimedwait(HEARD, LOOKS_AT_TRIAL_EVERY_S)
    return None if heard is None else heard.si_signo


def _successor(
    built: Built, trial: Trial, build: Callable[[], Built], start: Start
) -> Callable[[], Built]:
    """Raises what speaks against the new configuration."""
    if refusal := trial.refusal():
        raise BeatError(refusal)
    if built.has_app:
        log.info("reloading: the new configuration is right, starting again with it")
        return start.again
    successor = build()
    log.info("reloading: the new configuration is right, changing over to it")
    return lambda: successor


class _Running:
    """A daemon on its own thread, so that this one is free to hear signals."""

    def __init__(self, built: Built, idle: Callable[[float], None]) -> None:
        self.built = built
        built.daemon.idle = idle
        self.error: BeatError | None = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beatd beat")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.built.daemon.run()
        except BeatError as error:
            self.error = error
        except Exception:
            # A programming error: told in full, and the process ends so that another one leads.
            log.exception("the beat broke")
            self.error = BeatError("the beat broke; its traceback is in the log")
        finally:
            self.ended.set()
            os.kill(os.getpid(), signal.SIGUSR2)

    def make_way(self) -> None:
        """Stop for the next one in this process: that this one ends is no news, and frightens."""
        log.addFilter(_is_news)
        try:
            self.stop()
        finally:
            log.removeFilter(_is_news)

    def stop(self) -> None:
        self.built.daemon.stop()
        self._thread.join()
        self.built.close()


def _is_news(record: logging.LogRecord) -> bool:
    event = getattr(record, "facts", {}).get("event")
    # The lead that is given up unasked is a warning.
    return event not in ("Stopped", "LeadLost") or record.levelno > logging.INFO
