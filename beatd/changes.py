"""Records of the changes of entries: who changed what, when and why.

A store writes a record in the transaction that makes the change, so that no change is without one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.entry import Moment

#: How a change reached the store. "daemon" is beatd itself, such as at the end of a pause.
Via = Literal["command", "api", "page", "file", "app", "django", "import", "daemon"]
Action = Literal["added", "edited", "paused", "resumed", "removed"]

#: The largest definition, in bytes, that a record keeps. `beatd undo` needs it.
DEFINITION_BYTES_MAX = 65_536
#: The most records that a store keeps, whatever their age.
RECORDS_MAX = 100_000
CHANGES_READ = 200  # of one entry at a time
PAGES_READ_MAX = 5


class Author(Struct, frozen=True):
    """The person or program that changes an entry, such as "ann@host-1", with a note about the
    reason."""

    name: str = ""
    via: Via = "command"
    note: str = ""


class Pause(Struct, frozen=True):
    """The pause of an entry: who paused it and when, until when, and why.

    `until` is None if the pause has no end. beatd resumes the entry at `until`.
    """

    at: Moment
    by: str
    until: Moment | None = None
    note: str = ""


class EntryState(Struct, frozen=True):
    """The definition, owner and pause of an entry, before or after a change.

    `definition` is the text that the store keeps; "" if it was larger than DEFINITION_BYTES_MAX.
    """

    definition: str
    source: str
    declared_at: str = ""
    paused: bool = False
    until: Moment | None = None


class ChangeRecord(Struct, frozen=True, kw_only=True):
    """A record of one change of one entry: who made it, and the entry before and after it.

    `id` is unique in the store. `before` is None for an added entry, `after` for a removed one. The
    `action` of a change that edits an entry and also pauses it is "paused".
    """

    id: str
    at: Moment
    name: str
    action: Action
    author: Author
    before: EntryState | None
    after: EntryState | None


class Changes(Protocol):
    """The part of a store's interface that reads and deletes the records of changes of entries."""

    def changes(self, name: str | None, limit: int, before: str = "") -> Sequence[ChangeRecord]:
        """Return up to `limit` records of changes of the entry `name`, or of all if it is None,
        newest first.

        With `before`, the id of a record, only older records are returned.
        """

    def change(self, id: str) -> ChangeRecord | None:
        """Return the record of a change by its id, or None if the store does not have it or deleted
        it."""

    def forget_changes(self, before: datetime, keep: int) -> int:
        """Delete the records of changes older than `before` and all but the newest `keep`.

        Return the number of deleted records.
        """

    def ending_pauses(self, before: datetime, limit: int) -> Sequence[str]:
        """Return the names of up to `limit` paused entries whose pause ends before `before`,
        earliest first."""


def added_at(changes: Changes, name: str) -> datetime | None:
    """Return when the entry was added, the last time if it was removed in between.

    Return None if no record of that is among its newest changes.
    """
    before = ""
    for _ in range(PAGES_READ_MAX):
        page = changes.changes(name, CHANGES_READ, before)
        added = next((one for one in page if one.before is None), None)
        if added is not None:
            return added.at
        if len(page) < CHANGES_READ:
            return None
        before = page[-1].id
    return None
