"""The store, clock and state of the daemon, for the handlers of its web server."""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock, Thread
from typing import Any

from msgspec import Struct

from beatd.clock import Clock
from beatd.edits.editing import present
from beatd.entry import Entry
from beatd.errors import StoreError
from beatd.observers.health import Health
from beatd.observers.metrics import Metrics
from beatd.store import Roles
from beatd.why.facts import QueueState

CLOSE_S = 0.5


class SiteSettings(Struct, frozen=True, kw_only=True):
    """The settings of the daemon's configuration that its web server uses.

    `name` is the name of the configuration, `source` the owner of its entries, such as
    "yaml:config". `defaults` are default values for entries.
    """

    name: str = "config"
    source: str = "yaml:config"
    timezone: str = "UTC"
    defaults: Mapping[str, Any] = {}
    outcomes_from: str = "reports"
    judges: bool = False  # True if the configuration has `alerts`
    writes: bool = False  # True if somebody can sign in


class Site:
    """The store, the clock and the state of one daemon, for the handlers of its web server.

    A handler gets it as `request.app.state.site`. `health` and `status` return the daemon's state.
    `wake` starts the next tick now; a handler calls it after a change. `rests_for` returns the
    seconds until the beat works again. `queue_of` returns the queue of an entry's messages, without
    its counts, which no request waits for. All attributes may be used on every thread.
    """

    def __init__(
        self,
        *,
        open_store: Callable[[], Roles],
        clock: Clock,
        health: Callable[[], Health],
        status: Callable[[], dict[str, Any]],
        wake: Callable[[], None] = lambda: None,
        rests_for: Callable[[], float] = lambda: float("inf"),
        queue_of: Callable[[Entry], QueueState | None] = lambda entry: None,
        metrics: Metrics,
        settings: SiteSettings,
        shares_store: bool = False,
    ) -> None:
        self.health, self.status, self.wake = health, status, wake
        self.rests_for, self.queue_of = rests_for, queue_of
        self.metrics, self.settings = metrics, settings
        self.name, self.timezone = settings.name, settings.timezone
        self._open_store, self._shares_store, self._clock = open_store, shares_store, clock
        self._opening, self._closed = Lock(), False
        self._store: Roles | None = None

    def open_store(self) -> Roles:
        """Return the store, and open it at the first call. Raises StoreError if it cannot be
        reached."""
        with self._opening:
            if self._shares_store:
                return self._open_store()
            if self._closed:
                raise StoreError("this server is closed")
            if self._store is None:
                self._store = self._open_store()
            return self._store

    def now(self) -> datetime:
        """Return the current time by the store's clock."""
        return present(self.open_store().catalog, self._clock)

    def close(self) -> None:
        """Close the store, unless the daemon owns it, and wait up to CLOSE_S for that.

        A store that does not answer is closed on a thread that does not hold up the process.
        """
        self._closed = True
        if not self._shares_store:
            closing = Thread(target=self._close_store, name="beatd web store", daemon=True)
            closing.start()
            closing.join(CLOSE_S)

    def _close_store(self) -> None:
        with self._opening:
            if self._store is not None:
                self._store.place.close()
            self._store = None
