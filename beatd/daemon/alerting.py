"""How a daemon alerts: the settings, and the channels that the wiring made."""

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from beatd.alerts.channel import Channel


class Alerting(Struct, frozen=True, kw_only=True):
    """The settings of alerts, with the channels that send messages.

    `ping` requests the heartbeat's URL and raises NotDelivered if that fails; None without one.
    """

    channels: tuple[Channel, ...] = ()
    wait: timedelta = timedelta(seconds=30)
    again: timedelta | None = None
    ping: Callable[[], None] | None = None
