"""Marks: small notes that a store keeps beside the entries, most of them about the set of entries
that an owner (a source of entries) declared and applied.

A store keeps a mark as three columns, `source`, `loaded_at` and `digest`, which every version of
beatd reads. Only `Marks` knows the key and the text of each kind of mark.
"""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Protocol

from msgspec import Struct

RULES_KEY = "rules"
UNDER_WAY = " under way"  # ends the digest of a set that was not written whole


class Mark(Struct, frozen=True, rename={"key": "source", "at": "loaded_at", "text": "digest"}):
    """A mark as a store keeps it: a time and a text under a key."""

    key: str
    at: datetime
    text: str


class MarkRows(Protocol):
    """The role of reading and writing single marks."""

    def read_mark(self, key: str) -> Mark | None:
        """Return the mark under a key; None if there is none or it cannot be read."""

    def write_mark(self, mark: Mark) -> None:
        """Write the mark, and replace the one with the same key."""


class AppliedSet(Struct, frozen=True):
    """The set of entries that an owner applied last: when it was loaded, and its digest. A set that
    was loaded earlier is not applied over it."""

    loaded_at: datetime
    digest: str
    whole: bool = True  # False while its entries are being written

    def holds(self, digest: str) -> bool:
        """Return True if the set with this digest was written completely."""
        return self.whole and self.digest == digest


class VerifiedSet(Struct, frozen=True):
    """A set whose entries were all found in the store, with the store's version and number of
    entries at that time. While these are the same, the check need not be repeated."""

    loaded_at: datetime
    digest: str
    version: str
    entries: int


class Marks:
    """Reads and writes the marks of one store as typed values."""

    def __init__(self, rows: MarkRows) -> None:
        self._rows = rows

    def applied(self, owner: str) -> AppliedSet | None:
        """Return the set that the owner applied last; None if it never applied one."""
        mark = self._rows.read_mark(owner)
        if mark is None:
            return None
        digest = mark.text.removesuffix(UNDER_WAY)
        return AppliedSet(mark.at, digest, whole=digest == mark.text)

    def write_applied(self, owner: str, applied: AppliedSet) -> None:
        """Note the set that the owner has applied, or has begun to apply (`whole` False)."""
        text = applied.digest if applied.whole else applied.digest + UNDER_WAY
        self._rows.write_mark(Mark(owner, applied.loaded_at, text))

    def is_verified(self, owner: str, found: VerifiedSet) -> bool:
        """Return True if `found` equals the last verified set of the owner, in the same state of
        the store."""
        mark = self._rows.read_mark(_verified(owner, found).key)
        return mark is not None and mark.text == _verified(owner, found).text

    def write_verified(self, owner: str, found: VerifiedSet) -> None:
        """Note that the set `found` was verified."""
        self._rows.write_mark(_verified(owner, found))

    def takeover(self, owner: str) -> str:
        """Return a token that changes whenever a person moves one of the owner's entries to another
        owner; "" before the first time."""
        mark = self._rows.read_mark(_takeover_key(owner))
        return "" if mark is None else mark.text

    def write_takeover(self, owner: str) -> None:
        """Write a new token for `takeover`; do nothing if the owner never applied a set."""
        applied = self.applied(owner)
        if applied is not None:
            key = _takeover_key(owner)
            self._rows.write_mark(Mark(key, applied.loaded_at, token_hex(8)))

    def conflicts(self, owner: str) -> list[str]:
        """Return the problems that `write_conflicts` wrote for the owner, one per line."""
        mark = self._rows.read_mark(_conflicts_key(owner))
        return [] if mark is None else mark.text.splitlines()

    def write_conflicts(self, owner: str, lines: Sequence[str], at: datetime) -> None:
        """Write the problems of the owner's declarations, one per line."""
        self._rows.write_mark(Mark(_conflicts_key(owner), at, "\n".join(lines)))

    def rules(self) -> str | None:
        """Return the version of the planning rules that all plans in the store follow; None before
        it was written."""
        mark = self._rows.read_mark(RULES_KEY)
        return None if mark is None else mark.text

    def write_rules(self, rules: str, at: datetime) -> None:
        """Note that all plans in the store follow this version of the planning rules."""
        self._rows.write_mark(Mark(RULES_KEY, at, rules))


def _verified(owner: str, found: VerifiedSet) -> Mark:
    text = f"{found.digest} {found.version} {found.entries}"
    return Mark(f"{owner} seen", found.loaded_at, text)


def _takeover_key(owner: str) -> str:
    return f"{owner} taken"


def _conflicts_key(owner: str) -> str:
    return f"{owner} conflicts"
