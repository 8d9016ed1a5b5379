"""Word to the leader that an entry was taken from its owner by hand.

What is declared did not change then, and nothing else would make a leader compare it again: the
owner that lost an entry is to say so, or to declare it anew.
"""

from collections.abc import Iterable
from secrets import token_hex

from msgspec.structs import replace

from beatd.catalog import EditableCatalog


def tell_taken(catalog: EditableCatalog, owners: Iterable[str]) -> None:
    """After the change; an owner that never applied anything is told nothing."""
    for owner in sorted(set(owners)):
        mark = catalog.applied(owner)
        if mark is not None:
            catalog.mark_applied(replace(mark, source=_beside(owner), digest=token_hex(8)))


def last_taken(catalog: EditableCatalog, owner: str) -> str:
    """Another word each time that something was taken from the owner."""
    mark = catalog.applied(_beside(owner))
    return mark.digest if mark else ""


def _beside(owner: str) -> str:
    return f"{owner} taken"
