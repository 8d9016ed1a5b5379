"""Store the problems of rows in Django's tables as lines for `beatd status`."""

import logging
from collections.abc import Iterable

from beatd.clock import Clock
from beatd.marks import Marks

log = logging.getLogger("beatd")

LINES_MAX = 1000  # in the store


class RowConflicts:
    """Stores a line for each row that is invalid, has a warning, or has another owner's name.

    `owner` is the owner of the rows' entries.
    """

    def __init__(self, owner: str, clock: Clock) -> None:
        self._owner, self._clock = owner, clock
        self._wrong: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self._written: list[str] | None = None  # None: the store was not read yet

    def __bool__(self) -> bool:
        """True if any row has a line."""
        return bool(self._wrong or self._held)

    def clear(self) -> None:
        """Remove all lines, at the start of a term (the time of one leader)."""
        self._wrong, self._held, self._written = {}, {}, None

    def forget(self, names: Iterable[str]) -> None:
        """Remove the lines of rows that were deleted."""
        for name in names:
            self._wrong.pop(name, None)
            self._held.pop(name, None)

    def add_invalid(self, name: str, reason: str) -> None:
        """Add a line for an invalid row, and log its reason if that is new."""
        if self._wrong.get(name) != reason:
            log.error("%s: %s: %s; it is not run", self._owner, name, reason)
        self._wrong[name] = reason

    def add_warning(self, name: str, warning: str) -> None:
        """Add a line for a valid row with a warning, and log the warning if it is new."""
        if self._wrong.get(name) != warning:
            log.warning("%s: %s: %s", self._owner, name, warning)
        self._wrong[name] = warning

    def set_valid(self, name: str) -> None:
        """Remove the line of a row that is valid now and has no warning."""
        self._wrong.pop(name, None)

    def add_held(self, name: str, line: str) -> None:
        """Add a line for a row whose name belongs to another owner."""
        self._held[name] = line

    def set_free(self, name: str) -> None:
        """Remove the line about another owner of the row's name, if there is one."""
        self._held.pop(name, None)

    def replace_held(self, lines: dict[str, str]) -> None:
        """Replace all lines about names that belong to other owners.

        `lines` maps each such name to its line.
        """
        self._held = lines

    def lines(self) -> list[str]:
        """Return all lines: first of invalid rows and warnings, then of names of other owners."""
        invalid = [f"{self._owner}: {name}: {why}" for name, why in sorted(self._wrong.items())]
        return invalid + sorted(self._held.values())

    def write(self, marks: Marks) -> None:
        """Write the first 1000 lines to the store for `beatd status`, unless it has them
        already."""
        if self._written is None:
            self._written = marks.conflicts(self._owner)
        lines = self.lines()[:LINES_MAX]
        if lines != self._written:
            marks.write_conflicts(self._owner, lines, self._clock.now())
            self._written = lines
