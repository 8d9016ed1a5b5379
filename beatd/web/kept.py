"""Keep the results of costly readings for a few seconds, for all visitors together."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")
KEPT_S = 5.0
RESULTS_MAX = 200


class Kept:
    """Keeps up to RESULTS_MAX results, each for a number of seconds.

    A key that has the version of the catalog finds no result from before a change of an entry.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._guard = clock, Lock()
        self._results: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, make: Callable[[], T], for_s: float = KEPT_S) -> T:
        """Return the kept result of this key, or that of `make`, which is kept for `for_s`."""
        now = self._clock()
        with self._guard:
            until, result = self._results.get(key, (now, None))
        if until > now:
            return result  # type: ignore[no-any-return]
        made = make()
        with self._guard:
            if len(self._results) >= RESULTS_MAX:
                self._results.clear()
            self._results[key] = (self._clock() + for_s, made)
        return made

    def clear(self) -> None:
        """Forget all results, after a change by a visitor."""
        with self._guard:
            self._results.clear()


def kept_of(request: Request) -> Kept:
    """Return what this application keeps."""
    state = request.app.state
    if not hasattr(state, "kept"):
        state.kept = Kept()
    kept: Kept = state.kept
    return kept
