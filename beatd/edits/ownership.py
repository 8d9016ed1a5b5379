"""Name an owner as the author of its changes, and mark owners that lost an entry by hand.

The declared set of such an owner did not change, so a leader would not compare it with the store
again without the mark. After the comparison, the leader reports a conflict or adds the entry again.
"""

from collections.abc import Iterable

from beatd.catalog import EditableCatalog
from beatd.changes import Author, Via

_VIA: dict[str, Via] = {"yaml": "file", "app": "app", "django-celery-beat": "django"}


def author_for(owner: str) -> Author:
    """Return the author of changes that a source makes, such as the files "yaml:config"."""
    return Author(owner, _VIA.get(owner.partition(":")[0], "daemon"))


def mark_takeovers(catalog: EditableCatalog, owners: Iterable[str]) -> None:
    """Write a new takeover token to the store for each of these owners. Call this after the edit.

    The owners are those that lost an entry. When the token differs from the last one that a leader
    read, the leader compares the owner's declared entries with the store again. An owner that never
    applied a set of entries gets no token.
    """
    for owner in sorted(set(owners)):
        catalog.marks.write_takeover(owner)
