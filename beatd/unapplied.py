"""Entries that must not run yet, because their newest declarations are not in the store yet."""

from msgspec import Struct

from beatd.entry import Entry

Owned = frozenset[tuple[str, str]]


class Unapplied(Struct, frozen=True):
    """A set of entries that must not run yet, because the store may have outdated versions of them.

    - `owners`: sources that are not written to the store yet; all their entries wait.
    - `names`: (source, name) of entries whose declarations could not be read.
    - `places`: (source, file) of files that could not be read; all entries declared there wait.
    """

    owners: frozenset[str] = frozenset()
    names: Owned = frozenset()
    places: Owned = frozenset()

    def __bool__(self) -> bool:
        """Return True if at least one entry must not run yet."""
        return bool(self.owners or self.names or self.places)

    def __or__(self, other: "Unapplied") -> "Unapplied":
        """Return a set of all entries that wait according to one of the two sets."""
        return Unapplied(
            self.owners | other.owners, self.names | other.names, self.places | other.places
        )

    def __and__(self, other: "Unapplied") -> "Unapplied":
        """Return a set of the owners, names and places that both sets contain."""
        return Unapplied(
            self.owners & other.owners, self.names & other.names, self.places & other.places
        )

    def waits(self, entry: Entry) -> bool:
        """Return True if `entry` must not run yet."""
        source = entry.source
        return (
            source in self.owners
            or (source, entry.name) in self.names
            or (source, entry.declared_at) in self.places
        )


NOTHING_WAITS = Unapplied()
