"""Background thread that reads the outcomes of runs and writes them to the store.

Only the leader does this. The thread does not delay scheduling: it has its own connection to the
broker, writes small transactions, and pauses between them.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from beatd.clock import Clock
from beatd.daemon.not_received_news import NotReceivedNews
from beatd.daemon.outcome_writer import OutcomeWriter
from beatd.engine.outage import Outage
from beatd.entry import Entry
from beatd.errors import StoreError
from beatd.events import Observer, OutcomesAway, OutcomesBack
from beatd.outcomes.lost_runs import NO_SILENCES, PROLONG_BY_S, LostRuns
from beatd.outcomes.outcome_reader import OutcomeBatch, OutcomeReader
from beatd.run import Running
from beatd.secret import hidden
from beatd.store import Roles

LIVE_READ_MAX = 50_000  # deliveries, at the start of a lead
STANDBY_PAUSE_S = 0.5
BUSY_PAUSE_S, QUIET_PAUSE_S = 0.1, 1.0  # after a read that found no more
BUSY_FOR_S = 30.0  # after the last report
JUDGED_EVERY_S = 1.0  # which runs are lost, and which are to be prolonged
SILENCES_SAVED_EVERY_S = 2.0
STORE_AWAY_PAUSE_S = 0.5
SHORTEST_AWAY_PAUSE_S, LONGEST_AWAY_PAUSE_S = 0.1, 2.0


class OutcomeThread:
    """Reads outcomes of runs with `reader`, and writes them to the store, while this daemon leads.

    `nth_lead` returns the number of this daemon's lead (`Lead.nth`), or 0. `wake` starts a
    scheduling pass when a run has ended that another may wait for. `rest` waits some seconds
    between two transactions. `tell` receives the events. `queue_of` returns the queue of an entry's
    messages.
    """

    def __init__(
        self,
        *,
        reader: OutcomeReader,
        store: Roles,
        clock: Clock,
        nth_lead: Callable[[], int],
        wake: Callable[[], None],
        rest: Callable[[float], None],
        tell: Observer,
        queue_of: Callable[[Entry], str],
    ) -> None:
        self._reader, self._outcomes = reader, store.outcomes
        self._clock, self._nth_lead = clock, nth_lead
        self._live, self._marks = LostRuns(), store.catalog.marks
        self._saves_at, self._saved = float("-inf"), False
        self._writer = OutcomeWriter(
            store=store, live=self._live, clock=clock, wake=wake, rest=rest, tell=tell
        )
        self._news = NotReceivedNews(store, queue_of=queue_of, clock=clock, tell=tell)
        self._outage = Outage(OutcomesAway, OutcomesBack, clock=clock, emit=tell)
        self._away_pause_s = 0.0
        self._of_lead = 0  # the lead that this object reads for; 0: none
        self._unwritten: OutcomeBatch | None = None  # it was read, and is not completely written
        self._busy_until = self._judge_at = float("-inf")
        self._turning, self._is_closed = Lock(), False

    def turn(self) -> float:
        """Read one batch of outcomes and write it to the store, if this daemon leads.

        Return the seconds until the next turn.
        """
        with self._turning:
            try:
                return 0.0 if self._is_closed else self._turn(self._nth_lead())
            finally:
                if self._is_closed:
                    self._close_reader()

    def close(self) -> None:
        """Close the reader of outcomes now or, if a turn is running, after that turn.

        The method does not wait for the end of the turn.
        """
        self._is_closed = True
        if self._turning.acquire(blocking=False):
            try:
                self._close_reader()
            finally:
                self._turning.release()

    def _turn(self, nth_lead: int) -> float:
        if not nth_lead:
            self._end_lead()
            return STANDBY_PAUSE_S
        try:
            if nth_lead != self._of_lead:
                self._begin_lead(nth_lead)
            return self._read_and_write()
        except StoreError:
            # The ticks report it. What was read is written when the store is back.
            self._live.pause()
            return STORE_AWAY_PAUSE_S

    def _begin_lead(self, nth_lead: int) -> None:
        live = self._outcomes.live_deliveries(LIVE_READ_MAX)
        self._live.begin(live, self._marks.silences() if live else NO_SILENCES)
        self._of_lead, self._saves_at, self._saved = nth_lead, float("-inf"), True

    def _end_lead(self) -> None:
        # The batch that was not written is discarded. Events end an outage and report no running
        # runs.
        if self._of_lead:
            self._of_lead, self._unwritten = 0, None
            self._close_reader()
            self._outage.end()
            self._news.forget()
            self._live.begin(())
            self._writer.emit_idle()

    def _read_and_write(self) -> float:
        # An error of the broker closes the reader. After a StoreError, the next turn writes the
        # same batch.
        read_at = self._clock.elapsed()
        try:
            batch = self._unwritten = self._unwritten or self._reader.read()
        except StoreError:
            raise
        except Exception as error:
            return self._failed(error)
        self._write(batch)
        try:
            self._reader.acknowledge()
        except Exception as error:
            return self._failed(error)
        self._outage.end()
        self._away_pause_s = 0.0
        if self._reader.hears_workers and batch.is_last:
            self._live.read_until(read_at)
            self._judge()
            self._news.check()
        self._writer.emit_failures()
        return self._pause_after(batch)

    def _write(self, batch: OutcomeBatch) -> None:
        # After a StoreError, the batch is kept; after any other exception it is dropped.
        try:
            self._writer.write(batch)
        except StoreError:
            raise
        except Exception:
            # A programming error, which the loop reports. The reports after this batch go on.
            self._unwritten = None
            with suppress(Exception):
                self._reader.acknowledge()
            raise
        self._unwritten = None

    def _failed(self, error: Exception) -> float:
        # Only the first error of an outage emits the event OutcomesAway.
        self._live.pause()
        self._unwritten = None  # it was not acknowledged, and is read again
        self._close_reader()
        self._outage.begin(" ".join(hidden(str(error)).split()) or type(error).__name__)
        longer = max(SHORTEST_AWAY_PAUSE_S, 2 * self._away_pause_s)
        self._away_pause_s = min(LONGEST_AWAY_PAUSE_S, longer)
        return self._away_pause_s

    def _judge(self) -> None:
        # The time limit of a running run is extended if its worker has reported it lately.
        if self._clock.elapsed() < self._judge_at:
            return
        self._judge_at = self._clock.elapsed() + JUDGED_EVERY_S
        now = self._clock.now()
        self._writer.write_lost(self._live.lost(now, self._outcomes.outcomes))
        if self._live.holds_named():
            running = self._outcomes.running(None)
            ending = self._live.to_prolong(running, now)
            if ending:
                self._outcomes.prolong(ending, now + timedelta(seconds=PROLONG_BY_S))
            self._save_silences(running, now)

    def _save_silences(self, running: Mapping[str, Running], now: datetime) -> None:
        # The next leader uses these times to detect lost runs. They are written at most every 2 s.
        if self._clock.elapsed() < self._saves_at:
            return
        self._saves_at = self._clock.elapsed() + SILENCES_SAVED_EVERY_S
        # Without them, a change of leader lets a dead worker's run count as running for 30 s more.
        silences = self._live.silences(running)
        if silences or self._saved:
            self._marks.write_silences(silences, now)
            self._saved = bool(silences)

    def _pause_after(self, batch: OutcomeBatch) -> float:
        if not batch.is_last:
            return 0.0
        now = self._clock.elapsed()
        if not batch.is_empty:
            self._busy_until = now + BUSY_FOR_S
        return BUSY_PAUSE_S if now < self._busy_until else QUIET_PAUSE_S

    def _close_reader(self) -> None:
        with suppress(Exception):  # the connection may be broken
            self._reader.close()
