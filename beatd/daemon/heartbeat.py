"""Regularly request a monitor's URL while this daemon leads.

When the requests stop, the monitor can warn that no daemon works.
"""

from collections.abc import Callable

from beatd.alerts.channel import NotDelivered
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.loop import NEVER_STUCK_S, Loop
from beatd.events import AlertNotSent, Observer

PING_EVERY_S = 30.0
LOOK_EVERY_S = 1.0  # whether this daemon leads by now


class Heartbeat:
    """Calls `ping` every PING_EVERY_S seconds while this daemon leads and makes progress.

    A standby does not call `ping`; otherwise the monitor would not notice that no daemon leads. The
    end of the daemon does not wait for this thread, because the monitor may hang.
    """

    def __init__(self, ping: Callable[[], None], *, state: DaemonState, observer: Observer) -> None:
        self._ping, self._state, self._observe = ping, state, observer
        self._clock = state.clock
        self._pinged_at = float("-inf")
        self._fails = False
        self.loop = Loop(
            self.turn,
            name="heartbeat",
            stuck_after_s=NEVER_STUCK_S,
            clock=state.clock,
            observer=observer,
        )

    def turn(self) -> float:
        """Call `ping` if it is due, and return the seconds until the next check.

        Only the first of several failures in a row emits an event.
        """
        now = self._clock.elapsed()
        beats = self._state.leading() and self._state.alive()
        if not beats or now - self._pinged_at < PING_EVERY_S:
            return LOOK_EVERY_S
        self._pinged_at = now
        try:
            self._ping()
            self._fails = False
        except NotDelivered as error:
            if not self._fails:
                self._observe(AlertNotSent("heartbeat", "heartbeat", str(error), final=False))
            self._fails = True
        return LOOK_EVERY_S
