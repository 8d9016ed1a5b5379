"""Import the entries of other schedulers, such as celery beat, RedBeat or cron.

`read` reads another scheduler's data, and `to_entries` converts them to entries. Nothing is changed
there or run. A malformed entry is refused with a reason, and the others are still imported.
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
