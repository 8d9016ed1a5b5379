"""The set of entries that one owner declares, and its digest."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct, json

from beatd.definition.arguments import tagged
from beatd.entry import PAYLOAD, Entry


class Declared(Struct, frozen=True, kw_only=True):
    """All entries that one owner declares, such as those of the files "yaml:config".

    - `source` is the owner; it was read at `loaded_at`. `digest` is equal for equal sets.
    - `doubtful` are files, folders and globs that are missing, empty or unreadable. Entries of
      these places stay in the store, unless `compare` gets `force`.
    - `unread` are names of invalid entries, which stay in the store in the same way.
    - `unreadable` are files that were never valid.
    - `places` maps names to file and line, for messages.
    - `within`, if not empty, limits the set to the entries of these files.
    - `made` maps names to the moment of an edit that was noticed later.
    """

    source: str
    entries: tuple[Entry, ...]
    loaded_at: datetime
    digest: str
    doubtful: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    places: dict[str, str] = {}  # the store has only the file, because lines change
    within: frozenset[str] = frozenset()
    made: Mapping[str, datetime] = {}


def digest_of(entries: Iterable[Entry]) -> str:
    """Return a hex digest of the entries that does not depend on their order, owner, file or line.

    Hosts that declare the same entries in different folders get the same digest.
    """
    plain = sorted(
        json.encode([entry.name, entry.schedule.plain(), _fields_without_schedule(entry)])
        for entry in entries
    )
    return blake2b(b"\n".join(plain), digest_size=16).hexdigest()


def _fields_without_schedule(entry: Entry) -> list[Any]:
    left_out = ("name", "schedule", "source", "declared_at")
    fields = {field: getattr(entry, field) for field in Entry.__struct_fields__}
    for name in PAYLOAD:
        fields[name] = tagged(fields[name])
    return [value for field, value in fields.items() if field not in left_out]
