"""Marks: short notes that a store keeps beside the entries, each a time and a text under a key.

Most marks are about the entries that an owner, such as a YAML file, declared. A store keeps a mark
as three columns, `source`, `loaded_at` and `digest`, which every version of beatd reads. Only
`Marks` knows the key and the text of each kind of mark.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Protocol

from msgspec import MsgspecError, Struct, json

RULES_KEY = "rules"
MONITORS_KEY = "monitors"
SILENCES_KEY = "silences"
ALERTS_KEY = "alerts"
ARGUMENTS_PREFIX = "arguments "  # begins the key of the arguments of a requested run
SEEN_SUFFIX = " seen"  # ends the key of a note about a verified set
UNDER_WAY = " under way"  # ends the digest of a set that was not written whole


class Mark(Struct, frozen=True, rename={"key": "source", "at": "loaded_at", "text": "digest"}):
    """A short note that a store keeps under a key: a time and a text."""

    key: str
    at: datetime
    text: str


class MarkRows(Protocol):
    """The part of a store that reads and writes marks, which are short notes under a key."""

    def read_mark(self, key: str) -> Mark | None:
        """Return the note stored under `key`, or None if it is missing or cannot be read."""

    def write_mark(self, mark: Mark) -> None:
        """Store a note under its key, in place of an older one."""


class AppliedSet(Struct, frozen=True):
    """A note about which declared entries an owner, such as a YAML file, last wrote to the store.

    `loaded_at` is when the owner was read, `digest` a hash of the entries. `whole` is False while
    they are being written. An older set is not written over a newer one.
    """

    loaded_at: datetime
    digest: str
    whole: bool = True  # False while its entries are being written

    def holds(self, digest: str) -> bool:
        """Return True if the set with this hash was written to the store completely."""
        return self.whole and self.digest == digest


class VerifiedSet(Struct, frozen=True):
    """A note that all declared entries of an owner were found in the store.

    While the store still has this `version` and number of `entries`, the check need not be
    repeated.
    """

    loaded_at: datetime
    digest: str
    version: str
    entries: int


class Marks:
    """Reads and writes the short notes that a store keeps beside its entries.

    There is a method for each kind. An owner is a source of entries, such as a YAML file.
    """

    def __init__(self, rows: MarkRows) -> None:
        self._rows = rows

    def applied(self, owner: str) -> AppliedSet | None:
        """Return the declared entries that `owner` wrote last; None if it never wrote any."""
        mark = self._rows.read_mark(owner)
        if mark is None:
            return None
        digest = mark.text.removesuffix(UNDER_WAY)
        return AppliedSet(mark.at, digest, whole=digest == mark.text)

    def write_applied(self, owner: str, applied: AppliedSet) -> None:
        """Note that `owner` wrote these entries to the store or, if not `whole`, began to write
        them."""
        text = applied.digest if applied.whole else applied.digest + UNDER_WAY
        self._rows.write_mark(Mark(owner, applied.loaded_at, text))

    def is_verified(self, owner: str, found: VerifiedSet) -> bool:
        """Return True if this check of the owner's entries was noted before, so it can be skipped.

        The entries, the store's version and its number of entries must be the same.
        """
        mark = self._rows.read_mark(_verified(owner, found).key)
        return mark is not None and mark.text == _verified(owner, found).text

    def write_verified(self, owner: str, found: VerifiedSet) -> None:
        """Note that all of the owner's declared entries were found in the store."""
        self._rows.write_mark(_verified(owner, found))

    def takeover(self, owner: str) -> str:
        """Return a text that changes when an entry of `owner` is given to another owner by hand.

        Return "" if that has not happened yet.
        """
        mark = self._rows.read_mark(_takeover_key(owner))
        return "" if mark is None else mark.text

    def write_takeover(self, owner: str) -> None:
        """Change the text of `takeover`, unless the owner never wrote any entries."""
        applied = self.applied(owner)
        if applied is not None:
            key = _takeover_key(owner)
            self._rows.write_mark(Mark(key, applied.loaded_at, token_hex(8)))

    def conflicts(self, owner: str) -> list[str]:
        """Return the problems of the owner's declared entries, one text for each."""
        mark = self._rows.read_mark(_conflicts_key(owner))
        return [] if mark is None else mark.text.splitlines()

    def write_conflicts(self, owner: str, lines: Sequence[str], at: datetime) -> None:
        """Store the problems of the owner's declared entries, one text for each."""
        self._rows.write_mark(Mark(_conflicts_key(owner), at, "\n".join(lines)))

    def alerts(self) -> tuple[datetime, str] | None:
        """Return when the leader last checked the entries for problems, and its text about the
        check.

        Return None if no leader has checked them yet.
        """
        mark = self._rows.read_mark(ALERTS_KEY)
        return None if mark is None else (mark.at, mark.text)

    def write_alerts(self, text: str, at: datetime) -> None:
        """Note that the leader checked the entries for problems at the time `at`, with its text."""
        self._rows.write_mark(Mark(ALERTS_KEY, at, text))

    def silences(self) -> dict[str, float]:
        """Return for how many seconds no worker has mentioned each run, by task id.

        Return an empty dict if nothing was stored, or if it cannot be read.
        """
        mark = self._rows.read_mark(SILENCES_KEY)
        try:
            return {} if mark is None else json.decode(mark.text, type=dict[str, float])
        except MsgspecError:
            return {}  # it was changed by hand; each silence counts anew

    def write_silences(self, silences: Mapping[str, float], at: datetime) -> None:
        """Store for how many seconds no worker has mentioned each run, by task id.

        A new leader reads the numbers and continues to count.
        """
        self._rows.write_mark(Mark(SILENCES_KEY, at, json.encode(silences).decode()))

    def arguments(self, id: str) -> str | None:
        """Return the arguments with which a run was requested by hand, as JSON, or None without
        any."""
        mark = self._rows.read_mark(ARGUMENTS_PREFIX + id)
        return None if mark is None else mark.text

    def write_arguments(self, id: str, text: str, at: datetime) -> None:
        """Store the arguments with which a run was requested by hand, as JSON."""
        self._rows.write_mark(Mark(ARGUMENTS_PREFIX + id, at, text))

    def has_monitors(self) -> bool:
        """Return True if any entry with a `monitor` was ever published."""
        return self._rows.read_mark(MONITORS_KEY) is not None

    def write_monitors(self, at: datetime) -> None:
        """Note that an entry with a `monitor` was published."""
        self._rows.write_mark(Mark(MONITORS_KEY, at, ""))

    def rules(self) -> str | None:
        """Return which version of the planning rules computed the next runs in the store.

        Return None if it was never written.
        """
        mark = self._rows.read_mark(RULES_KEY)
        return None if mark is None else mark.text

    def write_rules(self, rules: str, at: datetime) -> None:
        """Note that all next runs in the store were computed by this version of the planning
        rules."""
        self._rows.write_mark(Mark(RULES_KEY, at, rules))


def _verified(owner: str, found: VerifiedSet) -> Mark:
    text = f"{found.digest} {found.version} {found.entries}"
    return Mark(f"{owner}{SEEN_SUFFIX}", found.loaded_at, text)


def _takeover_key(owner: str) -> str:
    return f"{owner} taken"


def _conflicts_key(owner: str) -> str:
    return f"{owner} conflicts"
