"""Mark owners that lost an entry to another owner by a manual edit.

The declared set of such an owner did not change, so a leader would not compare it again without the
mark. After the comparison it reports the conflict, or adds the entry again.
"""

from collections.abc import Iterable

from beatd.catalog import EditableCatalog


def mark_takeovers(catalog: EditableCatalog, owners: Iterable[str]) -> None:
    """Write a new takeover token for each owner; call this after the change.

    A leader compares an owner's set again when its token differs. An owner that never applied a set
    gets no token.
    """
    for owner in sorted(set(owners)):
        catalog.marks.write_takeover(owner)
