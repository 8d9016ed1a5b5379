"""Tell the leader that an entry got another owner by hand.

What is declared did not change then, and nothing else would make a leader compare it again: the
owner that lost an entry is to say so, or to declare it anew.
"""

from collections.abc import Iterable

from beatd.catalog import EditableCatalog


def mark_takeovers(catalog: EditableCatalog, owners: Iterable[str]) -> None:
    """Mark a takeover for each owner, after the change; an owner that never applied anything gets
    no mark."""
    for owner in sorted(set(owners)):
        catalog.marks.write_takeover(owner)
