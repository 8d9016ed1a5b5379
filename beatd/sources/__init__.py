"""Read declared entries from their sources: files, a Celery app, or another store.

A source is always read completely. It is read again when it has changed.
"""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from beatd.edits.declared_set import Declared
from beatd.entry import Entry
from beatd.errors import Problem
from beatd.schedules.at import At


class Reading(Struct, frozen=True):
    """The result of reading a source: all entries that it declares now, and its problems.

    `valid_again` holds the paths of files that were invalid at the last reading and are valid now.
    """

    declared: Declared
    problems: tuple[Problem, ...] = ()
    valid_again: tuple[str, ...] = ()


class Source(Protocol):
    """A place where entries are declared, such as the files of a configuration or a Celery app."""

    @property
    def owner(self) -> str:
        """Return the owner of the source's entries, such as "yaml:config". It is known before
        `read`."""

    def stale(self) -> bool:
        """True if the source differs from the last reading, even if it is still being written.

        This method must be fast and never raise.
        """

    def changed(self) -> bool:
        """True if the source must be read again. This method is called about once a second.

        A file that is still being written counts as unchanged. This method must be fast and never
        raise.
        """

    def read(self) -> Reading:
        """Return all entries that the source declares, and its problems.

        A part that cannot be read is reported as a problem; its entries from the last reading are
        returned, or their removal is prevented.
        """


def one_offs_of(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the one-offs (entries with a single planned moment) among the entries, by name."""
    return {entry.name: entry for entry in entries if isinstance(entry.schedule, At)}
