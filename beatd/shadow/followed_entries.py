"""Collect the entries that a shadow daemon compares with another scheduler.

They are the entries that the real daemon would run, from files, an app, Django or its store. A
shadow daemon sends nothing.
"""

from collections.abc import Callable

from celery import Celery

from beatd.catalog import EditableCatalog, Query
from beatd.clock import Clock
from beatd.config import Config, schemes
from beatd.daemon.housekeeping import Declares
from beatd.shadow.saved_tally import SavedTally
from beatd.sources.declarations import Declarations
from beatd.sources.store_copy import StoreCopy
from beatd.wiring.build import declaring_of, sources_of
from beatd.wiring.configured_store import configured_store


def followed_entries(
    config: Config, clock: Clock, app: Celery, tally: SavedTally
) -> tuple[Declares, Callable[[], None]]:
    """Return a function that copies the real daemon's entries to a shadow's store, and one that
    closes.

    The first function also gives the entries to `tally`. Entries in a Django, memory or shelve
    store, or in a store that does not exist yet, are not copied; declared entries always are.
    Raises StoreError if the daemon's store cannot be opened.
    """
    url = config.store.url
    if url.startswith((schemes.DJANGO, "memory:", "shelve:")):
        return _Counted(declaring_of(config, clock=clock, app=app), tally), lambda: None
    store = configured_store(config, clock=clock, if_absent="empty")
    sources = [*sources_of(config, clock=clock, app=app), StoreCopy(store, clock)]
    return _Counted(Declarations(sources, clock=clock), tally), store.close


class _Counted:
    def __init__(self, declaring: Declares, tally: SavedTally) -> None:
        self._declaring, self._tally = declaring, tally
        self.conflicts, self.digest = declaring.conflicts, declaring.digest
        self.unapplied, self.compare_again = declaring.unapplied, declaring.compare_again
        self.needs_reload = declaring.needs_reload
        self._version = ""

    def __call__(
        self,
        catalog: EditableCatalog,
        nth_lead: int,
        released: Callable[[], None],
        lasts: Callable[[], bool],
    ) -> bool:
        changed = self._declaring(catalog, nth_lead, released, lasts)
        version = catalog.version()
        if version != self._version:
            self._tally.add_names(row.entry for row in catalog.find(Query()))
            self._version = version
        return changed
