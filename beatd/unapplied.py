"""Entries that wait at the start of a term: the leader has not applied their source yet."""

from msgspec import Struct

from beatd.entry import Entry

Owned = frozenset[tuple[str, str]]


class Unapplied(Struct, frozen=True):
    """All entries of `owners` wait. Where the set of an owner was applied, entries wait that could
    not be read: those of its `names`, and those that it declared in its `places` (files)."""

    owners: frozenset[str] = frozenset()
    names: Owned = frozenset()
    places: Owned = frozenset()

    def __bool__(self) -> bool:
        return bool(self.owners or self.names or self.places)

    def __or__(self, other: "Unapplied") -> "Unapplied":
        return Unapplied(
            self.owners | other.owners, self.names | other.names, self.places | other.places
        )

    def __and__(self, other: "Unapplied") -> "Unapplied":
        return Unapplied(
            self.owners & other.owners, self.names & other.names, self.places & other.places
        )

    def waits(self, entry: Entry) -> bool:
        """True if the leader must not run the entry yet."""
        source = entry.source
        return (
            source in self.owners
            or (source, entry.name) in self.names
            or (source, entry.declared_at) in self.places
        )


NOTHING_WAITS = Unapplied()
