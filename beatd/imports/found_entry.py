"""The types of what an import reads from another scheduler: tasks and refused tasks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from beatd.definition.argument_values import MAX_DEPTH
from beatd.errors import BeatError


class FoundEntry(Struct, frozen=True, kw_only=True):
    """A periodic task of another scheduler, before it is checked and converted to an entry.

    `plain` has the keys and values of a YAML entry. `last` is the task's last run, `runs` its
    number of runs. `notes` are sentences about differences between the entry and the original task.
    """

    name: str
    plain: Mapping[str, Any]
    last: datetime | None = None
    runs: int = 0
    notes: tuple[str, ...] = ()


class Refused(Struct, frozen=True):
    """A task of another scheduler that cannot be imported: its name, and the reason in one line."""

    name: str
    reason: str


class Read(Struct, frozen=True):
    """The result of reading another scheduler: the found tasks, and those that were refused.

    `notes` are about all of them. `running` is the reason why the other scheduler seems to run
    still, or "".
    """

    found: Sequence[FoundEntry]
    refused: Sequence[Refused] = ()
    notes: tuple[str, ...] = ()
    running: str = ""


def refused(name: str, error: Exception) -> Refused:
    """Return a Refused for a task that cannot be imported because of an error."""
    if isinstance(error, RecursionError):
        return Refused(name, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(error, OverflowError):
        return Refused(name, f"has a number that is too large: {error}")
    text = " ".join(str(error).split())[:200]
    if isinstance(error, BeatError):
        return Refused(name, text or "is malformed")
    return Refused(name, f"is malformed: {text or type(error).__name__}")
