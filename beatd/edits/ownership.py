"""Make the author of an owner's changes, and mark owners that lost an entry by a manual edit.

The declarations of such an owner did not change, so a leader would not compare them with the store
again. The mark makes a leader do so; it then reports a conflict or adds the entry again.
"""

from collections.abc import Iterable

from beatd.catalog import EditableCatalog
from beatd.changes import Author, Via

_VIA: dict[str, Via] = {"yaml": "file", "app": "app", "django-celery-beat": "django"}


def author_for(owner: str) -> Author:
    """Return the author to record for changes by an owner of entries, such as "app:config".

    An owner is a source that declares entries: files, an app, or the tables of django-celery-beat.
    """
    return Author(owner, _VIA.get(owner.partition(":")[0], "daemon"))


def mark_takeovers(catalog: EditableCatalog, owners: Iterable[str]) -> None:
    """Make the leader compare the entries that these owners declare with the store again.

    Call this after an edit that took an entry from each owner. A new token is written to the store;
    the leader compares when the token differs from the last one that it read. An owner that never
    applied a set of entries gets no token.
    """
    for owner in sorted(set(owners)):
        catalog.marks.write_takeover(owner)
