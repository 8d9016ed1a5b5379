"""Sources: the places that declare entries, such as files, a Celery app or another store.

A source is read completely each time, and read again when it has changed.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from beatd.edits.declared_set import Declared
from beatd.entry import Entry
from beatd.errors import Problem
from beatd.schedules.at import At


class Reading(Struct, frozen=True):
    """The result of reading a source: the entries that it declares now, and the problems found.

    - `valid_again` lists files that were invalid at the last reading and are valid now.
    - `needs_reload` names changed settings that a running daemon uses only after a reload.
    - `gone` lists files that were invalid at the last reading and are not read any more.
    - `untouched` are invalid files that did not change since the last reading.
    - `wrong_at` maps each file that was never valid to the place of its first error, FILE:LINE.
    """

    declared: Declared
    problems: tuple[Problem, ...] = ()
    valid_again: tuple[str, ...] = ()
    needs_reload: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    untouched: frozenset[str] = frozenset()
    wrong_at: Mapping[str, str] = {}


class Source(Protocol):
    """The interface of a place that declares entries, such as YAML files or a Celery app."""

    @property
    def owner(self) -> str:
        """Return the name under which the store keeps this source's entries, such as
        "yaml:config"."""

    def stale(self) -> bool:
        """Return True if the source changed since the last `read`, even if a file is half written.

        This method must be fast and never raise.
        """

    def changed(self) -> bool:
        """Return True if the source changed since the last `read` and is completely written.

        This method is called about once a second. It must be fast and never raise.
        """

    def read(self) -> Reading:
        """Read all entries that the source declares, and the problems in it.

        If a part cannot be read, that is a problem, and its earlier entries stay: they are returned
        again, or protected from removal.
        """


def one_offs_of(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return those of the entries that run only once, at a fixed moment, by name."""
    return {entry.name: entry for entry in entries if isinstance(entry.schedule, At)}
