"""What a reader of a foreign schedule hands over, before it is an entry of ours."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from beatd.definition.kinds import MAX_DEPTH
from beatd.errors import BeatError


class FoundEntry(Struct, frozen=True, kw_only=True):
    """One periodic task as its scheduler has it, in the plain data of our entries.

    `notes` say what will be different, `last` and `runs` what it did until now.
    """

    name: str
    plain: Mapping[str, Any]
    last: datetime | None = None
    runs: int = 0
    notes: tuple[str, ...] = ()


class Refused(Struct, frozen=True):
    """What could not be carried over, and why."""

    name: str
    reason: str


class Read(Struct, frozen=True):
    """All that a source holds; the notes are about the source as a whole, and `running` says why
    its scheduler seems to run still."""

    found: Sequence[FoundEntry]
    refused: Sequence[Refused] = ()
    notes: tuple[str, ...] = ()
    running: str = ""


def refused(name: str, error: Exception) -> Refused:
    """Whatever one entry raised, in one line; the others are carried over all the same."""
    if isinstance(error, RecursionError):
        return Refused(name, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(error, OverflowError):
        return Refused(name, f"has a number that is too large: {error}")
    text = " ".join(str(error).split())[:200]
    if isinstance(error, BeatError):
        return Refused(name, text or "is malformed")
    return Refused(name, f"is malformed: {text or type(error).__name__}")
