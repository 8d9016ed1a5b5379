"""Encode and decode the pauses of entries, and the records of changes, as texts for Redis."""

from collections.abc import Mapping
from typing import Any, get_args

from msgspec import Raw, json

from beatd.changes import Action, Author, ChangeRecord, EntryState, Pause
from beatd.run import micros, moment_of
from beatd.stores.redis.row_text import moment_in, text_of

_ACTIONS: dict[bytes, Action] = {action.encode(): action for action in get_args(Action)}
_PACKED = tuple[str, str, Raw]
NO_DEFINITION = b"null"
Fields = Mapping[bytes, bytes]


def pause_text(pause: Pause) -> str:
    """Encode the pause of an entry as its start, its end, and JSON of who paused and why, with
    tabs."""
    who = json.encode((pause.by, pause.note)).decode()
    return f"{text_of(pause.at)}\t{text_of(pause.until)}\t{who}"


def pause_of(text: bytes) -> Pause:
    """Decode the pause of an entry from its text in Redis. A damaged text raises an exception."""
    at, until, who = text.split(b"\t", 2)
    by, note = json.decode(who, type=tuple[str, str])
    return Pause(moment_of(int(at)), by, moment_in(until), note)


def author_text(author: Author) -> str:
    return json.encode(author).decode()


def change_texts(record: ChangeRecord) -> tuple[str, ...]:
    """Encode the record of a change of an entry as texts for the fields of a Redis stream."""
    before, after = record.before, record.after
    return (
        str(micros(record.at)),
        record.name,
        record.action,
        author_text(record.author),
        "" if before is None else _state_text(before),
        "" if after is None else _state_text(after),
    )


def change_of(id: str, fields: Fields) -> ChangeRecord:
    """Decode the record of a change of an entry from the fields of a Redis stream.

    Damaged fields raise an exception.
    """
    before, after = fields[b"b"], fields[b"c"]
    return ChangeRecord(
        id=id,
        at=moment_of(int(fields[b"t"])),
        name=fields[b"n"].decode(),
        action=_ACTIONS[fields[b"a"]],
        author=json.decode(fields[b"w"], type=Author),
        before=_state_of(before) if before else None,
        after=_state_of(after, before) if after else None,
    )


def _state_text(state: EntryState) -> str:
    definition = Raw(state.definition.encode() or NO_DEFINITION)
    packed = json.encode((state.source, state.declared_at, definition)).decode()
    return f"{'1' if state.paused else ''}\t{text_of(state.until)}\t{packed}"


def _state_of(text: bytes, before: bytes = b"") -> EntryState:
    paused, until, packed = text.split(b"\t", 2)
    # If only the pause changed, the definition is not written twice: it is the one of `before`.
    packed = packed or before.split(b"\t", 2)[2]
    source, declared_at, raw = json.decode(packed, type=_PACKED)
    definition = bytes(raw)
    return EntryState(
        "" if definition == NO_DEFINITION else definition.decode(),
        source,
        declared_at,
        paused == b"1",
        moment_in(until),
    )


def fields_of(values: Any) -> Fields:
    # redis-py turns the replies of stream commands into dicts, but not the replies of scripts.
    return values if isinstance(values, dict) else dict(zip(values[::2], values[1::2], strict=True))
