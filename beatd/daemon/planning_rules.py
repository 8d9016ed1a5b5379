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
    """Does what the rules of the store require, in each new lead and once a minute.

    `nth_lead` counts the leads of this daemon (`Lead.nth`); it returns 0 while it does not lead.
    `rest` is called between the batches of a long job.
    """

    def __init__(
        self, *, clock: Clock, nth_lead: Callable[[], int], rest: Callable[[], None]
    ) -> None:
        self._clock, self._nth_lead, self._rest = clock, nth_lead, rest
        self._compared_at, self._compared_in_lead = float("-inf"), 0
        self._replans_in_lead = 0
        self._replan_at, self._pause_s = float("-inf"), REPLAN_AGAIN_AFTER_S

    def compare(self, catalog: EditableCatalog, nth_lead: int) -> None:
        """Note in the store if this daemon plans by older rules than the store's.

        This must be called before this daemon plans anything in this lead: a crash before the note
        would leave runs of which no newer leader knows that older rules planned them.
        """
        elapsed = self._clock.elapsed()
        is_due = elapsed - self._compared_at > COMPARE_RULES_EVERY_S
        if nth_lead == self._compared_in_lead and not is_due:
            return
        if needs_replan(catalog):
            if nth_lead != self._replans_in_lead:
                self._replan_at, self._pause_s = float("-inf"), REPLAN_AGAIN_AFTER_S
            self._replans_in_lead = nth_lead
        else:
            note_older_rules(catalog, self._clock.now())
        self._compared_at, self._compared_in_lead = elapsed, nth_lead

    def replan(self, catalog: EditableCatalog, requests: Requests, nth_lead: int) -> None:
        """Plan runs again if `compare` found in this lead that older rules planned them.

        What cannot be planned again, as an entry that is edited at each try, is tried again some
        seconds later.
        """
        if self._replans_in_lead != nth_lead or self._clock.elapsed() < self._replan_at:
            return
        replan(catalog, requests, self._clock.now, partial(self._leads, nth_lead), self._rest)
        if needs_replan(catalog):
            self._replan_at = self._clock.elapsed() + self._pause_s
            self._pause_s = min(self._pause_s * 2, COMPARE_RULES_EVERY_S)
        else:
            self._replans_in_lead = 0

    def _leads(self, nth_lead: int) -> bool:
        # In this lead: an older daemon may have led in between, and planned what was read already.
        return self._nth_lead() == nth_lead
