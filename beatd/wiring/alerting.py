"""Make the channels, objects that send alert messages, for the URLs in a configuration."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from beatd.alerts.watched import Watched
from beatd.config import Config
from beatd.config.values import Alerts

if TYPE_CHECKING:
    from beatd.alerts.channel import Channel
    from beatd.daemon.alert_thread import AlertThread
    from beatd.daemon.alerting import Alerting
    from beatd.daemon.daemon_state import DaemonState
    from beatd.events import Observer

WEBHOOK_SCHEMES = ("http://", "https://")


def alerts_of(
    config: Config, *, watched: Watched
) -> "Callable[[DaemonState, Observer], AlertThread] | None":
    """Return a function that makes the daemon's thread for alerts, or None without alerts.

    Alerts need a section `alerts` in the configuration. The thread stores the entries with an
    `alert` in `watched`.
    """
    if config.alerts is None:
        return None
    from beatd.daemon.alert_thread import AlertThread

    alerting = alerting_of(config.alerts)
    return lambda state, observer: AlertThread(alerting, watched, state=state, observer=observer)


def alerting_of(alerts: Alerts) -> "Alerting":
    """Return a daemon's alert settings with the objects that send to the configured URLs."""
    from beatd.daemon.alerting import Alerting

    ping = None
    if alerts.heartbeat is not None:
        from beatd.notifiers.heartbeat import HeartbeatUrl

        ping = HeartbeatUrl(alerts.heartbeat)
    return Alerting(
        channels=tuple(channel_of(url, alerts.secret) for url in alerts.to),
        wait=alerts.wait,
        again=alerts.again,
        ping=ping,
    )


def is_webhook(url: str) -> bool:
    """Return True if messages to this URL are sent as webhooks, False if Apprise sends them."""
    return url.lower().startswith(WEBHOOK_SCHEMES)


def channel_of(url: str, secret: str) -> "Channel":
    """Return an object that sends alert messages to this URL; `secret` signs a webhook."""
    if is_webhook(url):
        from beatd.notifiers.webhook import Webhook

        return Webhook(url, secret)
    from beatd.notifiers.apprise import AppriseChannel

    return AppriseChannel(url)
