"""A publisher that sends nothing and only counts runs, for `beatd --shadow`."""

from collections.abc import Callable, Sequence

from beatd.publisher import Outcome
from beatd.publishers.memory import MemoryPublisher
from beatd.run import Run
from beatd.shadow.saved_tally import SavedTally


class SilentPublisher(MemoryPublisher):
    """A publisher that adds each run to `tally` and sends nothing."""

    def __init__(self, tally: SavedTally) -> None:
        super().__init__(size=0)
        self._tally = tally

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """Add the runs to the tally without sending them, and return the outcome "confirmed" for
        each."""
        for run in runs:
            self._tally.add_run(run)
        return super().publish(runs, may_go_on)
