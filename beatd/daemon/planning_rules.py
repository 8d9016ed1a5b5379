"""Compare the planning rules of a leader with those by which the store's runs were planned.

The rules are the version of the planning code and of time zone data. Daemons of two versions may
lead in turn: an older one notes in the store that it plans runs, and a newer one plans them again.
"""

from collections.abc import Callable
from functools import partial

from beatd.catalog import EditableCatalog
from beatd.clock import Clock
from beatd.edits.replan import needs_replan, note_older_rules, replan
from beatd.ledger import Requests

COMPARE_RULES_EVERY_S = 60.0
REPLAN_AGAIN_AFTER_S = 2.0  # what could not be planned again; then twice as long each time


class PlanningRules:
    """Does what the rules of the store require, in each new term and once a minute.

    `term` counts the leads of this daemon (`Lead.nth`); it returns 0 while it does not lead. `rest`
    is called between the batches of a long job.
    """

    def __init__(self, *, clock: Clock, term: Callable[[], int], rest: Callable[[], None]) -> None:
        self._clock, self._term, self._rest = clock, term, rest
        self._compared_at, self._compared_in_term = float("-inf"), 0
        self._replans_in_term = 0
        self._replan_at, self._pause_s = float("-inf"), REPLAN_AGAIN_AFTER_S

    def compare(self, catalog: EditableCatalog, term: int) -> None:
        """Note in the store if this daemon plans by older rules than the store's.

        This must be called before this daemon plans anything in `term`: a crash before the note
        would leave runs of which no newer leader knows that older rules planned them.
        """
        elapsed = self._clock.elapsed()
        is_due = elapsed - self._compared_at > COMPARE_RULES_EVERY_S
        if term == self._compared_in_term and not is_due:
            return
        if needs_replan(catalog):
            if term != self._replans_in_term:
                self._replan_at, self._pause_s = float("-inf"), REPLAN_AGAIN_AFTER_S
            self._replans_in_term = term
        else:
            note_older_rules(catalog, self._clock.now())
        self._compared_at, self._compared_in_term = elapsed, term

    def replan(self, catalog: EditableCatalog, requests: Requests, term: int) -> None:
        """Plan runs again if `compare` found in this `term` that older rules planned them.

        What cannot be planned again, as an entry that is edited at each try, is tried again some
        seconds later.
        """
        if self._replans_in_term != term or self._clock.elapsed() < self._replan_at:
            return
        replan(catalog, requests, self._clock.now, partial(self._leads, term), self._rest)
        if needs_replan(catalog):
            self._replan_at = self._clock.elapsed() + self._pause_s
            self._pause_s = min(self._pause_s * 2, COMPARE_RULES_EVERY_S)
        else:
            self._replans_in_term = 0

    def _leads(self, term: int) -> bool:
        # Not any term: an older daemon may have led in between, and planned what was read already.
        return self._term() == term
