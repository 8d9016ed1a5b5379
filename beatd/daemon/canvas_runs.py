"""Make one report of a canvas's run from the reports about its tasks.

Log lines, monitors and metrics count runs, and a run of a canvas has many tasks.
"""

from collections.abc import Sequence
from itertools import islice

from beatd.outcome import Delivery, OutcomeState, RunStates
from beatd.run_outcome import BAD_ENDS, run_outcome
from beatd.run_part import part_in

REMEMBERED_MAX = 10_000  # runs whose last state is known


class CanvasRuns:
    """Replaces the reports about tasks of canvases by one for each run whose state changed."""

    def __init__(self, outcomes: RunStates) -> None:
        self._outcomes = outcomes
        self._states: dict[str, OutcomeState] = {}  # by task id of the run, the oldest first

    def changed(self, written: Sequence[Delivery]) -> list[Delivery]:
        """Return the reports that were just written, with those of canvases as one for each run.

        A run of a canvas whose state is the same as before is left out. Raises StoreError if the
        store cannot be read.
        """
        result = [one for one in written if part_in(one.delivery) is None]
        if len(result) == len(written):
            return result
        of_canvas = [one for one in written if part_in(one.delivery) is not None]
        known = self._outcomes.outcomes(list({one.task_id: None for one in of_canvas}))
        new = {(one.task_id, one.delivery) for one in of_canvas}
        for task_id, deliveries in known.items():
            now = run_outcome(deliveries)
            if task_id not in self._states:
                # Another daemon, or this one before its start, may have announced the state.
                rest = [one for one in deliveries if (task_id, one.delivery) not in new]
                if (was := run_outcome(rest)) is not None:
                    self._states[task_id] = was.state
            if now is not None and self._remember(task_id, now.state):
                result.append(now)
        return result

    def _remember(self, task_id: str, state: OutcomeState) -> bool:
        # Return True if the state is new. Of a run that failed, no second failure is announced.
        was = self._states.pop(task_id, None)
        self._states[task_id] = state
        for oldest in list(islice(self._states, max(0, len(self._states) - REMEMBERED_MAX))):
            del self._states[oldest]
        return was != state and not (was in BAD_ENDS and state in BAD_ENDS)
