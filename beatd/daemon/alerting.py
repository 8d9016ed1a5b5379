"""The settings of a daemon's alerts, together with the channels that send messages."""

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from beatd.alerts.channel import Channel


class Alerting(Struct, frozen=True, kw_only=True):
    """The settings of alerts, with the channels that send messages.

    `ping` requests the heartbeat's URL and raises NotDelivered on failure. It is None if no
    heartbeat is configured.
    """

    channels: tuple[Channel, ...] = ()
    wait: timedelta = timedelta(seconds=30)
    again: timedelta | None = None
    ping: Callable[[], None] | None = None
