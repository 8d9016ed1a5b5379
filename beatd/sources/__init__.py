"""Where entries are declared: files and a Celery app. Each is read as a whole, and read again when
it changed."""

from typing import Protocol

from msgspec import Struct

from beatd.applying import Declared
from beatd.problem import Problem


class Reading(Struct, frozen=True):
    """What a source declares now, all that is wrong with what is written there, and the files that
    were wrong when it was last read and are not any more."""

    declared: Declared
    problems: tuple[Problem, ...] = ()
    mended: tuple[str, ...] = ()


class Source(Protocol):
    def changed(self) -> bool:
        """Whether it may declare something else than when it was last read; cheap, never raises."""

    def read(self) -> Reading:
        """All that it declares; what cannot be read is as it last was, and a problem."""
