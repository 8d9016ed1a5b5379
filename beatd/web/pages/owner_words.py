"""Describe the owner of an entry in words, such as "Made with the command line by ann"."""

from collections.abc import Iterable

from beatd.changes import ChangeRecord
from beatd.edits.editing import is_declared
from beatd.entry import Entry

#: The first part of a source -> a word for the owner, in a table, and how the owner makes an entry.
_WORDS = {
    "yaml": ("file", "with a file"),
    "app": ("app", "with an app"),
    "django-celery-beat": ("Django", "in Django's tables"),
    "store": ("store", "with another store"),
    "cli": ("command", "with the command line"),
    "page": ("page", "on this page"),
    "api": ("API", "with the API"),
}


def owner_word(entry: Entry) -> str:
    """Return a word for the owner of an entry, such as "file" or "command"."""
    return _WORDS.get(entry.source.partition(":")[0], (entry.source, ""))[0]


def declared_in(entry: Entry) -> str:
    """Return the file, app or table that declares an entry, or else its owner."""
    return entry.declared_at or entry.source


def owner_words(entry: Entry, changes: Iterable[ChangeRecord]) -> str:
    """Return where an entry is declared, or how it was made and by whom.

    `changes` are the newest changes of the entry, the newest first. The person is left out if the
    record of the addition is not among them.
    """
    if is_declared(entry):
        return f"Declared in {declared_in(entry)}: edit or remove it there."
    how = _WORDS.get(entry.source, ("", f"with {entry.source}"))[1]
    for one in changes:
        if one.before is None or (one.after and one.before.source != one.after.source):
            verb = "Made" if one.before is None else "Taken over"
            by = f" by {one.author.name}" if one.author.name else ""
            return f"{verb} {how}{by}"
    return f"Made {how}"
