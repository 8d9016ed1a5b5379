"""The sources of declared entries: files and a Celery app.

A source is read as a whole, and read again when it changed.
"""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from beatd.edits.declared import Declared
from beatd.entry import Entry
from beatd.errors import Problem
from beatd.schedules.at import At


class Reading(Struct, frozen=True):
    """What a source declares now, with its problems.

    `valid_again` are the files that were invalid at the last reading.
    """

    declared: Declared
    problems: tuple[Problem, ...] = ()
    valid_again: tuple[str, ...] = ()


class Source(Protocol):
    """One place where entries are declared."""

    @property
    def owner(self) -> str:
        """The owner of its entries, known before it is read."""

    def stale(self) -> bool:
        """True if it differs from the last reading, even if it is still changing; never raises."""

    def changed(self) -> bool:
        """True if it may declare something else than at the last reading; cheap, never raises."""

    def read(self) -> Reading:
        """Return everything that it declares.

        A part that cannot be read is a problem, and stays as it was at the last reading.
        """


def one_offs_of(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the entries that run at one moment only, by name."""
    return {entry.name: entry for entry in entries if isinstance(entry.schedule, At)}
