"""One write that makes an entry in the store agree with its declaration."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, Stored
from beatd.changes import Author
from beatd.definition.arguments import same
from beatd.edits.entry_change import added, removed, rewritten
from beatd.entry import Entry


class Step(Struct, frozen=True):
    """One write that makes an entry in the store agree with its declaration.

    `entry` is the definition to write, or None to remove the entry. `before` is the entry in the
    store, or None if it is new.
    """

    name: str
    entry: Entry | None
    before: Stored | None

    @property
    def only_moves(self) -> bool:
        """True if nothing changes but the file that declares the entry."""
        if self.before is None or self.entry is None:
            return False
        old = self.before.entry
        return same(replace(self.entry, declared_at=old.declared_at), old)

    def change(self, now: datetime, author: Author | None) -> Change:
        """Return the write to the store for this step; a new next run is computed from `now`."""
        if self.before is None:
            assert self.entry is not None, "what is not there is not removed"
            return added(self.entry, now, author)
        if self.entry is None:
            return removed(self.before, author)
        return rewritten(self.before, self.entry, now, author)
