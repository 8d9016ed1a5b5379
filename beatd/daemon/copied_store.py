"""End a daemon whose store was copied to another one, where daemons run the same entries."""

from collections.abc import Callable

from beatd.errors import StoreCopied
from beatd.schedules import zone
from beatd.schedules.moment import in_zone
from beatd.store import Roles


class CopiedStore:
    """Checks that a daemon's store was not copied to another one, and ends the daemon if it was.

    The note in the store is read when the store is opened and when a lead begins, never in between.
    `stop` ends the daemon; any thread may call it. Errors have their time in the zone `tz`.
    """

    def __init__(self, stop: Callable[[], None], tz: str) -> None:
        self._stop, self._tz = stop, tz
        self._store: Roles | None = None
        self._found: StoreCopied | None = None

    def opened(self, open_store: Callable[[], Roles]) -> Roles:
        """Open the store and return it. Raise StoreCopied, with the store closed, if it was
        copied."""
        self._store = opened(open_store, self._tz)
        return self._store

    def refuse(self) -> None:
        """Raise StoreCopied and stop the daemon if the store was copied. Raise StoreError if it
        does not answer."""
        assert self._store is not None
        try:
            refuse_copied(self._store, self._tz)
        except StoreCopied as found:
            self._found = found
            self._stop()
            raise

    def raise_if_found(self) -> None:
        """Raise StoreCopied if `refuse` stopped the daemon."""
        if self._found is not None:
            raise self._found


def refuse_copied(store: Roles, tz: str) -> None:
    """Raise StoreCopied, with its time in the zone `tz`, if everything in the store was copied to
    another one."""
    copied = store.catalog.marks.copied_to()
    if copied is not None:
        raise StoreCopied(copied.place, in_zone(copied.at, zone(tz)))


def opened(open_store: Callable[[], Roles], tz: str) -> Roles:
    """Open the store and return it. Raise StoreCopied, with the store closed, if it was copied.

    The error has its time in the zone `tz`.
    """
    store = open_store()
    try:
        refuse_copied(store, tz)
    except BaseException:
        store.place.close()
        raise
    return store
