"""Where entries are declared: files and a Celery app. Each is read as a whole, and read again when
it changed."""

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from beatd.edits.declared import Declared
from beatd.entry import Entry
from beatd.problem import Problem
from beatd.schedules.at import At


class Reading(Struct, frozen=True):
    """What a source declares now, all that is wrong with what is written there, and the files that
    were wrong when it was last read and are not any more."""

    declared: Declared
    problems: tuple[Problem, ...] = ()
    mended: tuple[str, ...] = ()


class Source(Protocol):
    @property
    def owner(self) -> str:
        """The owner of all that it declares, known before it is read."""

    def stale(self) -> bool:
        """True if it differs from what was read last, though it may still be changing; never
        raises."""

    def changed(self) -> bool:
        """Whether it may declare something else than when it was last read; cheap, never raises."""

    def read(self) -> Reading:
        """All that it declares; what cannot be read is as it last was, and a problem."""


def one_offs_of(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries if isinstance(entry.schedule, At)}
