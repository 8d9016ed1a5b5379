"""Cache the results of slow queries for a few seconds, for all visitors of the pages."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")
KEPT_S = 5.0
RESULTS_MAX = 200


class Kept:
    """A cache of up to RESULTS_MAX results for the pages, each of which expires after some seconds.

    Use the version of the catalog as a part of the key to ignore results older than the last edit.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._guard = clock, Lock()
        self._results: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, make: Callable[[], T], for_s: float = KEPT_S) -> T:
        """Return the cached result for `key`, or call `make` and cache its result for `for_s`
        seconds."""
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
        """Remove all results from the cache, because a visitor has changed something."""
        with self._guard:
            self._results.clear()


def shared(request: Request, kind: type[T]) -> T:
    """Return the object of this class that all requests of this web application share."""
    state, name = request.app.state, kind.__name__
    if not hasattr(state, name):
        setattr(state, name, kind())
    found: T = getattr(state, name)
    return found


def kept_of(request: Request) -> Kept:
    """Return the cache of slow results that all requests of this web application share."""
    return shared(request, Kept)
