"""The conflict of two owners, such as a file and an app, that declare the same name."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from beatd.definition.arguments import same
from beatd.entry import Entry


class HeldName(Struct, frozen=True):
    """A conflict: a declared entry has the name of another owner's entry in the store.

    `declared_at` is the file or app that declares the name here. `holder` is the owner in the
    store, `held_at` the place of its declaration, or "" if unknown. `same` is True if both
    definitions are equal.
    """

    name: str
    declared_at: str
    holder: str
    held_at: str
    same: bool

    def __str__(self) -> str:
        here = f" ({self.held_at})" if self.held_at else ""
        return (
            f"{self.declared_at}: entry {self.name!r} is not applied: {self.holder}{here} owns an "
            "entry of this name; rename one of them, or remove the other"
        )


def held_name(entry: Entry, other: Entry, places: Mapping[str, str]) -> HeldName:
    """Return the conflict between a declared entry and `other`, another owner's entry of that name.

    `places` maps names to the file and line of their declaration, for the message.
    """
    alike = replace(other, source=entry.source, declared_at=entry.declared_at)
    return HeldName(
        name=entry.name,
        declared_at=places.get(entry.name) or entry.declared_at or entry.source,
        holder=other.source,
        held_at=other.declared_at,
        same=same(entry, alike),
    )
