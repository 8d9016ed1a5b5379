"""Make the monitors that a configuration and its entries name."""

from beatd.config import Config
from beatd.monitors.check_in import MonitorTarget
from beatd.notifiers.ping import PingMonitor


def monitors_of(config: Config) -> tuple[MonitorTarget, ...]:
    """Return the monitors that check-ins are sent to; an entry says which of them it has."""
    if config.sentry is None:
        return (PingMonitor(),)
    from beatd.notifiers.sentry import SentryMonitor

    sentry = SentryMonitor(config.sentry.dsn, environment=config.sentry.environment)
    return PingMonitor(), sentry
