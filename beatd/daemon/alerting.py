"""How a daemon alerts: the settings, and the channels that the wiring made."""

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from beatd.alerts.channel import Channel
from beatd.alerts.watched import Watched


class Alerting(Struct, frozen=True, kw_only=True):
    """The settings of alerts, with the channels that send messages.

    `watched` has the entries with an `alert`, as the leader last read them.
    `ping` requests the heartbeat's URL and raises NotDelivered if that fails; None without one.
    """

    watched: Watched
    channels: tuple[Channel, ...] = ()
    wait: timedelta = timedelta(seconds=30)
    again: timedelta | None = None
    ping: Callable[[], None] | None = None
