"""Make the channels of alerts that a configuration names."""

from beatd.alerts.channel import Channel
from beatd.alerts.watched import Watched
from beatd.clock import Clock
from beatd.config import Config
from beatd.daemon.alerting import Alerting

WEBHOOK_SCHEMES = ("http://", "https://")


def alerting_of(config: Config, clock: Clock) -> Alerting | None:
    """Return how the daemon alerts, or None if the configuration has no section `alerts`."""
    alerts = config.alerts
    if alerts is None:
        return None
    ping = None
    if alerts.heartbeat is not None:
        from beatd.notifiers.heartbeat import HeartbeatUrl

        ping = HeartbeatUrl(alerts.heartbeat)
    return Alerting(
        watched=Watched(elapsed=clock.elapsed),
        channels=tuple(channel_of(url, alerts.secret) for url in alerts.to),
        wait=alerts.wait,
        again=alerts.again,
        ping=ping,
    )


def is_webhook(url: str) -> bool:
    """Return True if messages to this URL are webhooks, and not Apprise's."""
    return url.lower().startswith(WEBHOOK_SCHEMES)


def channel_of(url: str, secret: str) -> Channel:
    """Return the channel that sends messages to this URL; `secret` signs a webhook.

    The modules are imported only if there is a channel.
    """
    if is_webhook(url):
        from beatd.notifiers.webhook import Webhook

        return Webhook(url, secret)
    from beatd.notifiers.apprise import AppriseChannel

    return AppriseChannel(url)
