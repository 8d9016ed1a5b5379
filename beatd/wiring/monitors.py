"""Make the thread that reports runs to the configured external monitors."""

from collections.abc import Callable

from beatd.config import Config
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.monitor_thread import MonitorThread
from beatd.events import Observer
from beatd.monitors.check_in import MonitorTarget
from beatd.notifiers.ping import PingMonitor


def monitors_of(config: Config) -> Callable[[DaemonState, Observer], MonitorThread]:
    """Return the function that makes the thread that reports runs to external monitors.

    Each entry's key `monitor` chooses the monitors for its runs.
    """
    targets: tuple[MonitorTarget, ...] = (PingMonitor(),)
    if config.sentry is not None:
        from beatd.notifiers.sentry import SentryMonitor

        targets += (SentryMonitor(config.sentry.dsn, environment=config.sentry.environment),)
    return lambda state, observer: MonitorThread(targets, state=state, observer=observer)
