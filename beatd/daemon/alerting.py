"""The settings of a daemon's alerts, and the channels that send the messages."""

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from beatd.alerts.channel import Channel


class Alerting(Struct, frozen=True, kw_only=True):
    """The alert settings of a daemon, and the channels that send the messages.

    `ping` requests the URL of a heartbeat monitor, and raises NotDelivered on failure; None if no
    URL is configured.
    """

    channels: tuple[Channel, ...] = ()
    wait: timedelta = timedelta(seconds=30)
    again: timedelta | None = None
    ping: Callable[[], None] | None = None
