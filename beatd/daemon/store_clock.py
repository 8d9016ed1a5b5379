"""Set the daemon's clock from the store's clock, so that all daemons use the same time.

The store reads its clock between request and reply. The daemon's clock is set as if that happened
when the reply arrived, so it is never ahead of the store's clock. It may be behind by the time from
request to reply, so a quicker reply is more exact.
"""

from datetime import datetime, timedelta
from threading import Lock

from beatd.clock import MAX_DRIFT, Clock, Earliest, SharedClock, StoreTime

RESOLUTION = timedelta(microseconds=1)  # of a store's time, which is rounded down
WORTHWHILE_GAIN = timedelta(milliseconds=0.5)  # by one reply, so that the next may gain more
SET_BACK_DOUBT = timedelta(milliseconds=5)  # a smaller step back may be a slow reply
REQUESTS_MAX = 5  # one after the other
QUICK_REPLY_S = 0.005
QUICK_REQUESTS = 3  # made at least while replies are quick: the first reply is the slowest


class StoreClock:
    """Sets the daemon's clock from the most exact reply of the store's clock.

    Any thread may call its methods.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = Lock()
        self._best: Earliest | None = None
        self._server = ""
        self._newest_request_at = float("-inf")
        self.is_set = False  # True also if the store has no clock
        self.offset_s = 0.0  # seconds that the host's clock is ahead of the store's

    def set_if_older(self, store: SharedClock, seconds: float) -> None:
        """Do as `set_from`, unless the last reading was asked for within the last `seconds`."""
        if self._clock.elapsed() - self._newest_request_at > seconds:
            self.set_from(store)

    def set_from(self, store: SharedClock) -> None:
        """Read the store's clock a few times, and set the daemon's clock from the best reply.

        A store without a clock changes nothing, but `is_set` becomes True. Raise StoreError if the
        store fails.
        """
        for request in range(1, REQUESTS_MAX + 1):
            requested_at = self._clock.elapsed()
            reply = store.now()
            if reply is None:
                self.is_set = True
                return
            replied_at = self._clock.elapsed()
            cheap = replied_at - requested_at < QUICK_REPLY_S and request < QUICK_REQUESTS
            if not self._set(reply, requested_at, replied_at) and not cheap:
                return

    def _set(self, reply: StoreTime, requested_at: float, replied_at: float) -> bool:
        with self._guard:
            if requested_at < self._newest_request_at:
                return False  # another thread has a newer reply
            self._newest_request_at = requested_at
            known = self._best is not None and reply.server == self._server
            shown = self._best.at(replied_at) if self._best is not None and known else None
            trip = replied_at - requested_at
            if shown is not None and reply.moment <= shown <= latest(reply, trip):
                retry = shown - reply.moment > SET_BACK_DOUBT
            else:
                # The first reply of this server, a quicker one, or the store's clock was set.
                retry = shown is None or not reply.moment - WORTHWHILE_GAIN < shown < reply.moment
                self._best, self._server = Earliest(reply.moment, replied_at), reply.server
                self._clock.steer(self._best)
            self.is_set = True
            self.offset_s = (self._clock.host_now() - self._clock.now()).total_seconds()
            # True: one more request may give a more exact reply.
            return retry


def latest(reply: StoreTime, trip_s: float) -> datetime:
    """Return the latest time that the store's clock can show at the arrival of its `reply`.

    `trip_s` is the time from the request to the reply, in seconds.
    """
    return reply.moment + RESOLUTION + timedelta(seconds=trip_s * (1 + MAX_DRIFT))
