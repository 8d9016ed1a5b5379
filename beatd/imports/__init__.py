"""Schedules of other schedulers, read into entries; nothing of theirs is changed or run.

`read` opens a source, `taken_over` makes entries of what is in it, each bad one told by itself.
"""

from beatd.imports.found_entry import Found, Read, Refused
from beatd.imports.readers import SOURCES, read
from beatd.imports.to_entries import Taken, TakenOver, taken_over

__all__ = ["SOURCES", "Found", "Read", "Refused", "Taken", "TakenOver", "read", "taken_over"]
