"""Collect the problems of django-celery-beat's rows as lines of text for `beatd status`."""

import logging
from collections.abc import Iterable

from beatd.clock import Clock
from beatd.marks import Marks

log = logging.getLogger("beatd")

LINES_MAX = 1000  # in the store


class RowConflicts:
    """The problems of django-celery-beat's rows, as lines of text for `beatd status`.

    A row may be invalid, have a warning, or have the name of an entry of another owner, such as a
    file. `owner` is the owner of the rows' entries.
    """

    def __init__(self, owner: str, clock: Clock) -> None:
        self._owner, self._clock = owner, clock
        self._wrong: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self._written: list[str] | None = None  # None: the store was not read yet

    def __bool__(self) -> bool:
        """Return True if any row has a problem."""
        return bool(self._wrong or self._held)

    def clear(self) -> None:
        """Remove all problems, so that a new leader finds and logs them again."""
        self._wrong, self._held, self._written = {}, {}, None

    def forget(self, names: Iterable[str]) -> None:
        """Remove the problems of the rows with these names, which were deleted."""
        for name in names:
            self._wrong.pop(name, None)
            self._held.pop(name, None)

    def add_invalid(self, name: str, reason: str) -> None:
        """Record that the row of this name is invalid, and log the reason if it is new."""
        if self._wrong.get(name) != reason:
            log.error("%s: %s: %s; it is not run", self._owner, name, reason)
        self._wrong[name] = reason

    def add_warning(self, name: str, warning: str) -> None:
        """Record a warning about the valid row of this name, and log the warning if it is new."""
        if self._wrong.get(name) != warning:
            log.warning("%s: %s: %s", self._owner, name, warning)
        self._wrong[name] = warning

    def set_valid(self, name: str) -> None:
        """Record that the row of this name is valid and has no warning."""
        self._wrong.pop(name, None)

    def add_held(self, name: str, line: str) -> None:
        """Record that a row's name belongs to an entry of another owner, such as a file.

        `line` is the text about this for people.
        """
        self._held[name] = line

    def set_free(self, name: str) -> None:
        """Record that no other owner, such as a file, has an entry with the name of this row."""
        self._held.pop(name, None)

    def replace_held(self, lines: dict[str, str]) -> None:
        """Replace the texts about names that belong to other owners; `lines` has the new ones by
        name."""
        self._held = lines

    def lines(self) -> list[str]:
        """Return the text of each problem: first invalid rows and warnings, then names of other
        owners."""
        invalid = [f"{self._owner}: {name}: {why}" for name, why in sorted(self._wrong.items())]
        return invalid + sorted(self._held.values())

    def write(self, marks: Marks) -> None:
        """Write the first 1000 problems to the store for `beatd status`, if they have changed."""
        if self._written is None:
            self._written = marks.conflicts(self._owner)
        lines = self.lines()[:LINES_MAX]
        if lines != self._written:
            marks.write_conflicts(self._owner, lines, self._clock.now())
            self._written = lines
