"""The entries that the leader must not run yet, because it has not applied their declarations."""

from msgspec import Struct

from beatd.entry import Entry

Owned = frozenset[tuple[str, str]]


class Unapplied(Struct, frozen=True):
    """A set of entries that the leader must not run yet.

    The store does not have their newest declarations yet, so that its version may be outdated.

    - `owners`: every entry of these sources waits, because the source was not applied yet.
    - `names`: (source, name) of entries whose declarations could not be read.
    - `places`: (source, file) of files that could not be read; the entries declared there wait.
    """

    owners: frozenset[str] = frozenset()
    names: Owned = frozenset()
    places: Owned = frozenset()

    def __bool__(self) -> bool:
        """Return True if any entry waits: the set has at least one owner, name or place."""
        return bool(self.owners or self.names or self.places)

    def __or__(self, other: "Unapplied") -> "Unapplied":
        """Return the union of both sets."""
        return Unapplied(
            self.owners | other.owners, self.names | other.names, self.places | other.places
        )

    def __and__(self, other: "Unapplied") -> "Unapplied":
        """Return the owners, names and places that are in both sets."""
        return Unapplied(
            self.owners & other.owners, self.names & other.names, self.places & other.places
        )

    def waits(self, entry: Entry) -> bool:
        """Return True if `entry` belongs to the set, so that the leader must not run it yet."""
        source = entry.source
        return (
            source in self.owners
            or (source, entry.name) in self.names
            or (source, entry.declared_at) in self.places
        )


NOTHING_WAITS = Unapplied()
