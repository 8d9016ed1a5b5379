"""Mark owners that lost an entry to another owner by a manual edit.

The declared set of such an owner did not change, so a leader would not compare it again without the
mark. After the comparison it reports the conflict, or adds the entry again.
"""

from collections.abc import Iterable

from beatd.catalog import EditableCatalog


def mark_takeovers(catalog: EditableCatalog, owners: Iterable[str]) -> None:
    """Write a new takeover token to the store for each owner that lost an entry.

    A leader compares an owner's declared entries with the store again when the token differs from
    the last one it read. Call this after the edit was written. An owner that never applied a set of
    entries gets no token.
    """
    for owner in sorted(set(owners)):
        catalog.marks.write_takeover(owner)
