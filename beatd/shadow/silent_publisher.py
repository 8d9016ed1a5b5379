"""A publisher that sends nothing, and counts each run for the report of a shadow."""

from collections.abc import Callable, Sequence

from beatd.publisher import Outcome
from beatd.run import Run
from beatd.shadow.saved_tally import SavedTally


class SilentPublisher:
    """Adds each run to the tally of a shadow in place of sending it."""

    def __init__(self, tally: SavedTally) -> None:
        self._tally = tally

    def prepare(self, runs: Sequence[Run], *, soon: bool = False) -> None:
        """Do nothing, because there is no message to prepare."""
        pass

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        """Add the runs to the tally, and return the outcome "confirmed" for each of them."""
        for run in runs:
            self._tally.add_run(run)
        return [Outcome("confirmed")] * len(runs)

    def revoke(self, task_ids: Sequence[str]) -> None:
        """Do nothing, because a shadow must not end the runs of others."""
        pass

    def forget(self, names: Sequence[str]) -> None:
        """Do nothing, because nothing is kept of any entry."""
        pass

    def reachable(self) -> bool:
        """Return True, because no broker is needed."""
        return True

    def trouble(self) -> str:
        """Return "", because there is never a fault."""
        return ""

    def on_redis(self) -> None:
        """Return None, because runs are not sent through Redis."""
        return None

    def close(self) -> None:
        pass
