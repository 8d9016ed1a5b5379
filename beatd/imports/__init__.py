"""Read the schedules of other schedulers, and make entries of them; nothing of theirs is changed or
run.

`read` opens a source, and `to_entries` makes entries of its content; each bad one is refused by
itself.
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
