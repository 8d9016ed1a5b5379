"""Marks: what a store remembers of an owner's sets besides the entries, each with a typed value.

A store keeps a mark as three columns, `source`, `loaded_at` and `digest`, which every version of
beatd reads. Only `Marks` knows under which source each value lies and how its digest is written.
"""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Protocol

from msgspec import Struct

RULES_KEY = "rules"
UNDER_WAY = " under way"  # ends the digest of a set that was not written whole


class Mark(Struct, frozen=True, rename={"key": "source", "at": "loaded_at", "text": "digest"}):
    """A mark as stores keep it."""

    key: str
    at: datetime
    text: str


class MarkRows(Protocol):
    """The rows of the marks in a store."""

    def read_mark(self, key: str) -> Mark | None:
        """Return the mark under a key; None when there is none, or it cannot be read."""

    def write_mark(self, mark: Mark) -> None:
        """Write the mark, over the one under the same key."""


class AppliedSet(Struct, frozen=True):
    """The set that an owner applied last; an older set is not applied over it."""

    loaded_at: datetime
    digest: str
    whole: bool = True  # False while its entries are being written

    def holds(self, digest: str) -> bool:
        """Return True if the whole set with this digest was written."""
        return self.whole and self.digest == digest


class VerifiedSet(Struct, frozen=True):
    """A set whose every entry was found in the store, and the state of the store at that time."""

    loaded_at: datetime
    digest: str
    version: str
    entries: int


class Marks:
    """The marks of one store as typed values."""

    def __init__(self, rows: MarkRows) -> None:
        self._rows = rows

    def applied(self, owner: str) -> AppliedSet | None:
        """Return the set that the owner applied last, or None before the first."""
        mark = self._rows.read_mark(owner)
        if mark is None:
            return None
        digest = mark.text.removesuffix(UNDER_WAY)
        return AppliedSet(mark.at, digest, whole=digest == mark.text)

    def write_applied(self, owner: str, applied: AppliedSet) -> None:
        text = applied.digest if applied.whole else applied.digest + UNDER_WAY
        self._rows.write_mark(Mark(owner, applied.loaded_at, text))

    def is_verified(self, owner: str, found: VerifiedSet) -> bool:
        """Return True if the newest set verified for the owner is this one, in the same state of
        the store."""
        mark = self._rows.read_mark(_verified(owner, found).key)
        return mark is not None and mark.text == _verified(owner, found).text

    def write_verified(self, owner: str, found: VerifiedSet) -> None:
        self._rows.write_mark(_verified(owner, found))

    def takeover(self, owner: str) -> str:
        """Return a token that changes each time that an entry of the owner gets another owner by
        hand; empty before the first time."""
        mark = self._rows.read_mark(_takeover_key(owner))
        return "" if mark is None else mark.text

    def write_takeover(self, owner: str) -> None:
        """Write a new token, unless the owner never applied a set."""
        applied = self.applied(owner)
        if applied is not None:
            key = _takeover_key(owner)
            self._rows.write_mark(Mark(key, applied.loaded_at, token_hex(8)))

    def conflicts(self, owner: str) -> list[str]:
        """Return the lines that the owner's leader wrote about its conflicts."""
        mark = self._rows.read_mark(_conflicts_key(owner))
        return [] if mark is None else mark.text.splitlines()

    def write_conflicts(self, owner: str, lines: Sequence[str], at: datetime) -> None:
        self._rows.write_mark(Mark(_conflicts_key(owner), at, "\n".join(lines)))

    def rules(self) -> str | None:
        """Return the version of the rules that all plans follow, or None before it is written."""
        mark = self._rows.read_mark(RULES_KEY)
        return None if mark is None else mark.text

    def write_rules(self, rules: str, at: datetime) -> None:
        self._rows.write_mark(Mark(RULES_KEY, at, rules))


def _verified(owner: str, found: VerifiedSet) -> Mark:
    text = f"{found.digest} {found.version} {found.entries}"
    return Mark(f"{owner} seen", found.loaded_at, text)


def _takeover_key(owner: str) -> str:
    return f"{owner} taken"


def _conflicts_key(owner: str) -> str:
    return f"{owner} conflicts"
