"""A periodic task of another scheduler, before it becomes an entry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from beatd.definition.argument_values import MAX_DEPTH
from beatd.errors import BeatError


class FoundEntry(Struct, frozen=True, kw_only=True):
    """One periodic task of another scheduler, in the plain data of our entries.

    `notes` say how it will differ; `last` and `runs` are its last run and how often it ran.
    """

    name: str
    plain: Mapping[str, Any]
    last: datetime | None = None
    runs: int = 0
    notes: tuple[str, ...] = ()


class Refused(Struct, frozen=True):
    """An entry that cannot be imported, and why."""

    name: str
    reason: str


class Read(Struct, frozen=True):
    """The content of a source. `notes` are about the source as a whole.

    `running` says why its scheduler seems to run still; "" if it does not.
    """

    found: Sequence[FoundEntry]
    refused: Sequence[Refused] = ()
    notes: tuple[str, ...] = ()
    running: str = ""


def refused(name: str, error: Exception) -> Refused:
    """Return one entry as refused, with the error in one line."""
    if isinstance(error, RecursionError):
        return Refused(name, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(error, OverflowError):
        return Refused(name, f"has a number that is too large: {error}")
    text = " ".join(str(error).split())[:200]
    if isinstance(error, BeatError):
        return Refused(name, text or "is malformed")
    return Refused(name, f"is malformed: {text or type(error).__name__}")
