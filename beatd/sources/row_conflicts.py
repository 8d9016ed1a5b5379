"""The rows of Django's tables that cannot be entries, as lines for `beatd status`."""

import logging
from collections.abc import Iterable

from beatd.catalog import Applied
from beatd.clock import Clock
from beatd.store import Store

log = logging.getLogger("beatd")

LINES_MAX = 1000  # in the store


class RowConflicts:
    """Keeps a line for each row that is invalid, and for each whose name another owner has."""

    def __init__(self, owner: str, clock: Clock) -> None:
        self._owner, self._clock = owner, clock
        self._invalid: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self._written: list[str] | None = None  # None: the store was not read yet

    def __bool__(self) -> bool:
        return bool(self._invalid or self._held)

    def clear(self) -> None:
        """Forget every line, at the start of a term."""
        self._invalid, self._held, self._written = {}, {}, None

    def forget(self, names: Iterable[str]) -> None:
        """Drop the lines of rows that are gone."""
        for name in names:
            self._invalid.pop(name, None)
            self._held.pop(name, None)

    def add_invalid(self, name: str, reason: str) -> None:
        """Note an invalid row; a new reason is logged."""
        if self._invalid.get(name) != reason:
            log.error("%s: %s: %s; it is not run", self._owner, name, reason)
        self._invalid[name] = reason

    def set_valid(self, name: str) -> None:
        """Drop the line of an invalid row."""
        self._invalid.pop(name, None)

    def add_held(self, name: str, line: str) -> None:
        """Note a row whose name another owner has."""
        self._held[name] = line

    def set_free(self, name: str) -> None:
        """Drop the line of a row whose name another owner had."""
        self._held.pop(name, None)

    def replace_held(self, lines: dict[str, str]) -> None:
        """Replace all lines of rows whose names other owners have."""
        self._held = lines

    def lines(self) -> list[str]:
        """Return all lines, sorted by name."""
        invalid = [f"{self._owner}: {name}: {why}" for name, why in sorted(self._invalid.items())]
        return invalid + sorted(self._held.values())

    def write(self, store: Store) -> None:
        """Write the lines to the store if they changed: `beatd status` does not read the rows."""
        if self._written is None:
            self._written = conflicts_in(store, self._owner)
        lines = self.lines()[:LINES_MAX]
        if lines != self._written:
            mark = Applied(f"{self._owner} conflicts", self._clock.now(), "\n".join(lines))
            store.mark_applied(mark)
            self._written = lines


def conflicts_in(store: Store, owner: str) -> list[str]:
    """Return the lines that the leader wrote to the store."""
    mark = store.applied(f"{owner} conflicts")
    return mark.digest.splitlines() if mark is not None else []
