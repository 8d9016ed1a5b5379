"""Set the daemon's clock by the store's, so that all daemons agree on now and none is ahead of it.

A store reads its clock at some instant between the question and the answer. Counted from the
answer, its reply is the earliest moment that the store's clock can show: the daemon's clock shows
that one. Counted from the question, it is the latest.
"""

from datetime import datetime, timedelta
from threading import Lock

from beatd.clock import MAX_DRIFT, Clock, Earliest, StoreClock, StoreTime

RESOLUTION = timedelta(microseconds=1)  # of a store's time, which is rounded down
GAIN = timedelta(milliseconds=0.5)  # by one reply, after which the next may bring more
DOUBT = timedelta(milliseconds=5)  # a clock set back by less may hide behind a slow reply
QUESTIONS_AT_MOST = 5  # one after the other
QUICK_S, QUICK_QUESTIONS = 0.005, 3  # such replies cost little, and the first is the slowest


class Steering:
    """Keeps the best reply of the store's server; any thread may call it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = Lock()
        self._best: Earliest | None = None
        self._server = ""
        self._newest_asked = float("-inf")
        self.sure = False  # True once the clock is set, or the store is known to have none
        self.offset = 0.0  # seconds that the host's clock is ahead of the store's

    def by(self, store: StoreClock) -> None:
        """Ask the store for its time a few times, and again while another reply may bring more.

        Raises StoreError; the clock then runs on as it was set before.
        """
        for question in range(1, QUESTIONS_AT_MOST + 1):
            asked = self._clock.elapsed()
            reply = store.now()
            if reply is None:
                self.sure = True
                return
            answered = self._clock.elapsed()
            cheap = answered - asked < QUICK_S and question < QUICK_QUESTIONS
            if not self._set(reply, asked, answered) and not cheap:
                return

    def _set(self, reply: StoreTime, asked: float, answered: float) -> bool:
        """Set the clock if this reply is better; True if the next one may be better still."""
        with self._guard:
            if asked < self._newest_asked:
                return False  # another thread has heard a newer one
            self._newest_asked = asked
            known = self._best is not None and reply.server == self._server
            shown = self._best.at(answered) if self._best is not None and known else None
            if shown is not None and reply.moment <= shown <= latest(reply, answered - asked):
                again = shown - reply.moment > DOUBT
            else:
                # The first reply of this server, a quicker one, or its clock was set.
                again = shown is None or not reply.moment - GAIN < shown < reply.moment
                self._best, self._server = Earliest(reply.moment, answered), reply.server
                self._clock.steer(self._best)
            self.sure = True
            self.offset = (self._clock.host_now() - self._clock.now()).total_seconds()
            return again


def latest(reply: StoreTime, trip: float) -> datetime:
    """The latest moment that the store's clock can show when its reply arrives."""
    return reply.moment + RESOLUTION + timedelta(seconds=trip * (1 + MAX_DRIFT))
