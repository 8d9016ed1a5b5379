"""The error for a name that no entry has, or whose entry this program cannot read."""

from collections.abc import Sequence
from difflib import get_close_matches

from beatd.catalog import EntryFinder, Query
from beatd.errors import UnknownEntry

NAMES_COMPARED_MAX = 1000


def unreadable(catalog: EntryFinder, names: Sequence[str]) -> set[str]:
    """Return those of these names that have an entry which this program cannot read."""
    existing = catalog.existing(names)
    readable = catalog.find(Query(names=tuple(existing))) if existing else ()
    return existing - {row.entry.name for row in readable}


def unreadable_error(name: str) -> UnknownEntry:
    """Return the error for an entry that this program cannot read."""
    return UnknownEntry(
        f"entry {name!r} in the store cannot be read; a newer beatd wrote it, or it was changed by "
        "hand; `beatd doctor` shows the reason",
        name,
    )


def unknown(catalog: EntryFinder, name: str) -> UnknownEntry:
    """Return the error for a name of which no entry was found.

    It suggests the most similar name in the store, or says that the entry cannot be read.
    """
    if unreadable(catalog, [name]):
        return unreadable_error(name)
    near = nearest_name(catalog, name)
    hint = f"; did you mean {near!r}?" if near else "; `beatd list` shows what there is"
    return UnknownEntry(f"no entry {name!r} in the store{hint}", name)


def nearest_name(catalog: EntryFinder, name: str) -> str | None:
    """Return the most similar name in the store, or None if none is similar.

    A store may have a million names: at most NAMES_COMPARED_MAX with the same first two letters
    are compared, then as many others.
    """
    start = "".join(c for c in name[:2] if c not in "*?[]\\")
    for pattern in (f"{start}*", None) if start else (None,):
        found = catalog.find(Query(name_like=pattern, limit=NAMES_COMPARED_MAX))
        if near := get_close_matches(name, [row.entry.name for row in found], n=1):
            return near[0]
    return None
