"""Schedules of other schedulers, read into entries; nothing of theirs is changed or run.

`read` opens a source, `to_entries` makes entries of what is in it, each bad one told by itself.
"""

from beatd.imports.found_entry import FoundEntry, Read, Refused
from beatd.imports.readers import SOURCES, read
from beatd.imports.to_entries import Imported, ImportedEntry, to_entries

__all__ = [
    "SOURCES",
    "FoundEntry",
    "Imported",
    "ImportedEntry",
    "Read",
    "Refused",
    "read",
    "to_entries",
]
