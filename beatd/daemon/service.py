"""Run the daemon as a process: handle signals and reloads, and report to systemd."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from typing import Protocol

from beatd.daemon.daemon import Daemon
from beatd.daemon.end_watch import ENDS, EndWatch
from beatd.daemon.foreground_terminal import ForegroundTerminal
from beatd.daemon.idle_gc import IdleGc
from beatd.daemon.next_signal import next_signal
from beatd.daemon.process_start import ProcessStart
from beatd.daemon.status import state_of
from beatd.daemon.trial import Trial
from beatd.errors import BeatError
from beatd.observers.log import in_words
from beatd.observers.log_formats import JsonLines, TextLines
from beatd.observers.systemd import SystemdObserver

log = logging.getLogger("beatd")
SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,  # the thread of the beat sends it when the daemon has ended
)

CHECK_TRIAL_EVERY_S = 0.05


class Service(Protocol):
    """A daemon together with its web pages and its other servers."""

    daemon: Daemon
    has_app: bool  # True: it uses a project's app, whose modules stay imported

    def open(self) -> None:
        """Open the resources that only one service at a time can own, such as a port.

        The previous service must be closed before.
        """

    def close(self) -> None:
        """Close everything except the daemon. The daemon must have ended before."""


def set_up_log(level: str, form: str, home: tzinfo) -> None:
    """Configure the logger `beatd` to write to standard error.

    `form` is "text" or "json". Text has the times of the zone `home`.
    """
    handler = logging.StreamHandler(sys.stderr)
    root = logging.getLogger("beatd")
    before = _json_lines()  # at a reload the daemon that leads goes on for a while
    json_lines = JsonLines(before.term) if before is not None else JsonLines()
    handler.setFormatter(json_lines if form == "json" else TextLines(home))
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False


def _json_lines() -> JsonLines | None:
    formatters = (handler.formatter for handler in log.handlers)
    return next((one for one in formatters if isinstance(one, JsonLines)), None)


def _show_term(term: Callable[[], int]) -> None:
    if (json_lines := _json_lines()) is not None:
        json_lines.term = term


def serve(
    build: Callable[[], Service],
    systemd: SystemdObserver,
    idle_gc: IdleGc,
    start: ProcessStart,
) -> int:
    """Run the service that `build` makes until SIGTERM or SIGINT, and return the exit code.

    SIGHUP reloads: if the new configuration is valid, a new service replaces the old one; otherwise
    the reason is logged and the old service continues. A service with a Celery app is replaced by
    starting the process again. If the terminal in whose foreground it was started is gone, SIGHUP
    ends it, too.

    An exception of the first `build` is raised, and also an error that ended the daemon.
    """
    # Blocked before any thread is started: all inherit it, and only this thread gets signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    terminal = ForegroundTerminal()
    end_watch = EndWatch()
    with end_watch.watching():
        service = build()  # no resource that must be closed is open yet
    is_reload = start.is_reload
    while True:
        _open(service, is_reload)
        # The trial could open the store; to end now would leave no daemon.
        service.daemon.waits_for_unusable_store = is_reload
        running = _Running(service, idle_gc)
        systemd.ready()
        if is_reload:
            log.info("configuration reloaded")
        build_next = _listen(running, systemd, build, start, terminal, end_watch)
        if build_next is None:
            running.stop()
        else:
            running.stop_for_next()
        if running.error is not None:
            raise running.error
        if build_next is None:
            return 0
        service, is_reload = build_next(), True
        del running, build_next  # they hold the ended daemon, which is to be collected
        idle_gc.reloaded()


def _open(service: Service, is_reload: bool) -> None:
    # After a reload, an error is logged and not raised.
    try:
        service.open()
    except Exception as trouble:
        if not is_reload:
            raise
        unforeseen = not isinstance(trouble, BeatError)
        log.error("%s; going on without it", trouble, exc_info=unforeseen)


def _listen(
    running: "_Running",
    systemd: SystemdObserver,
    build: Callable[[], Service],
    start: ProcessStart,
    terminal: ForegroundTerminal,
    end_watch: EndWatch,
) -> Callable[[], Service] | None:
    # The result makes the next service, or is None if the process should end. The caller stops the
    # service before it calls the function.
    trial: Trial | None = None
    try:
        while True:
            received = _next_signal(trial)
            hung_up = received == signal.SIGHUP and terminal.is_gone()
            if hung_up:
                terminal.leave()
            if received in ENDS or hung_up:
                systemd.stopping()
                return None
            if received == signal.SIGUSR2 and running.ended.is_set():
                return None
            if received == signal.SIGUSR1:
                state = state_of(running.service.daemon)
                log.info("state: %s", in_words(state), extra={"facts": state})
            if received == signal.SIGHUP:
                systemd.reloading(time.monotonic_ns() // 1000)
                log.info("reloading: the new configuration is tried")
                if trial is not None:
                    trial.close()  # it may have read the files before the last edit
                trial = _trial(start, systemd)
            if trial is not None and trial.is_over():
                try:
                    with end_watch.watching(partial(_end, running, systemd)):
                        return _next_build(running.service, trial, build, start)
                except Exception as refusal:
                    # Of any kind: the beat goes on, and this thread must go on to handle signals.
                    _refuse(refusal, systemd)
                trial.close()
                trial = None
    finally:
        if trial is not None:
            trial.close()


def _end(running: "_Running", systemd: SystemdObserver) -> int:
    systemd.stopping()
    running.stop()
    return 0 if running.error is None else 1


def _trial(start: ProcessStart, systemd: SystemdObserver) -> Trial | None:
    # If no process can be started, the reason is logged.
    try:
        return start.trial()
    except OSError as error:
        _refuse(BeatError(f"it cannot be tried: {error.strerror or error}"), systemd)
        return None


def _refuse(refusal: Exception, systemd: SystemdObserver) -> None:
    unforeseen = not isinstance(refusal, BeatError)
    log.error("configuration not reloaded, the old one stays: %s", refusal, exc_info=unforeseen)
    systemd.ready()


def _next_signal(trial: Trial | None) -> int | None:
    # While a trial runs, the result is None if no signal arrives within CHECK_TRIAL_EVERY_S.
    if trial is None:
        return signal.sigwait(SIGNALS)
    return next_signal(SIGNALS, CHECK_TRIAL_EVERY_S)


def _next_build(
    service: Service, trial: Trial, build: Callable[[], Service], start: ProcessStart
) -> Callable[[], Service]:
    # If the service has a Celery app, the result starts the process again and never returns. An
    # exception has the reason why the new configuration cannot be used.
    if refusal := trial.refusal():
        raise BeatError(refusal)
    if service.has_app:
        log.info("reloading: the new configuration is right, starting again with it")
        return start.start_again
    built = build()
    log.info("reloading: the new configuration is right, changing over to it")
    return lambda: built


class _Running:
    """Runs a service's daemon on a thread, so that the main thread can wait for signals.

    `error` is the error that ended the daemon, or None.
    """

    def __init__(self, service: Service, idle_gc: IdleGc) -> None:
        self.service = service
        service.daemon.before_wait = idle_gc
        _show_term(service.daemon.term)
        self.error: BeatError | None = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beatd beat")
        self._thread.start()

    def _run(self) -> None:
        # SIGUSR2 ends the wait of the main thread for a signal.
        try:
            self.service.daemon.run()
        except BeatError as error:
            self.error = error
        except Exception:
            # A programming error: the process ends, so that another daemon leads.
            log.exception("the beat broke")
            self.error = BeatError("the beat broke; its traceback is in the log")
        finally:
            self.ended.set()
            os.kill(os.getpid(), signal.SIGUSR2)

    def stop_for_next(self) -> None:
        log.addFilter(_is_no_planned_end)
        self.service.daemon.reloads = True
        try:
            self.stop()
        finally:
            log.removeFilter(_is_no_planned_end)

    def stop(self) -> None:
        self.service.daemon.stop()
        self._thread.join()
        self.service.close()
        _show_term(lambda: 0)  # the ended daemon is to be collected


def _is_no_planned_end(record: logging.LogRecord) -> bool:
    """Return False for a log record about the planned end of a daemon, True for any other."""
    event = getattr(record, "facts", {}).get("event")
    # A lead that is lost otherwise is logged as a warning.
    return event not in ("Stopped", "LeadLost") or record.levelno > logging.INFO
