"""Build the record of who changed an entry and how, for the stores that do this in Python."""

from datetime import datetime

from msgspec import Struct

from beatd.changes import DEFINITION_BYTES_MAX, Action, Author, ChangeRecord, EntryState, Pause


class KeptEntry(Struct, frozen=True):
    """A stored entry before or after a change, with the fields that a record of the change
    contains.

    `pause` is None if the entry is not paused, or if nobody knows who paused it.
    """

    definition: bytes
    source: str
    declared_at: str
    paused: bool
    pause: Pause | None

    @property
    def pause_facts(self) -> tuple[datetime | None, str, str] | None:
        # Two pauses are different if these differ.
        pause = self.pause
        return None if pause is None else (pause.until, pause.note, pause.by)


def record_of(
    id: str,
    at: datetime,
    name: str,
    author: Author | None,
    before: KeptEntry | None,
    after: KeptEntry | None,
) -> ChangeRecord | None:
    """Return the record of a change of an entry, or None if the entry is the same before and after.

    Return None, too, if `author` is None. `before` is None for a new entry, `after` for a removed
    one.
    """
    if author is None:
        return None
    action = _action(before, after)
    if action is None:
        return None
    return ChangeRecord(
        id=id,
        at=at,
        name=name,
        action=action,
        author=author,
        before=None if before is None else _state(before),
        after=None if after is None else _state(after, keeps_definition=before is not None),
    )


def _action(before: KeptEntry | None, after: KeptEntry | None) -> Action | None:
    if before is None:
        return None if after is None else "added"
    if after is None:
        return "removed"
    if after.paused and (not before.paused or after.pause_facts != before.pause_facts):
        return "paused"
    if before.paused and not after.paused:
        return "resumed"
    if (before.definition, before.source, before.declared_at) != (
        after.definition,
        after.source,
        after.declared_at,
    ):
        return "edited"
    return None


def _state(kept: KeptEntry, *, keeps_definition: bool = True) -> EntryState:
    # Nobody needs the definition of a new entry after its change. Without it, the first load of
    # many entries stays cheap.
    keeps_definition = keeps_definition and len(kept.definition) <= DEFINITION_BYTES_MAX
    definition = kept.definition.decode() if keeps_definition else ""
    until = None if kept.pause is None else kept.pause.until
    return EntryState(definition, kept.source, kept.declared_at, kept.paused, until)
