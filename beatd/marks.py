"""Marks: short notes that a store keeps beside the entries, each with a key, a time and a text.

Most marks are about the entries that an owner, such as a YAML file, declared. A store keeps a mark
as three columns, `source`, `loaded_at` and `digest`, which every version of beatd reads. Only
`Marks` knows the key and the text of each kind of mark.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Protocol

from msgspec import MsgspecError, Struct, json

from beatd.entry import Moment

COPIED_KEY = "copied to"
RULES_KEY = "rules"
MONITORS_KEY = "monitors"
SILENCES_KEY = "silences"
ALERTS_KEY = "alerts"
RELOAD_KEY = "reload"
RELOAD_LASTS = timedelta(seconds=30)  # longer than an app takes to be imported
ARGUMENTS_PREFIX = "arguments "  # begins the key of the arguments of a requested run
#: Begins the key of who requested a run. With old history, each version of beatd deletes all marks
#: whose key begins with ARGUMENTS_PREFIX.
REQUESTED_PREFIX = f"{ARGUMENTS_PREFIX}by "
SEEN_SUFFIX = " seen"  # ends the key of a note about a verified set
UNDER_WAY = " under way"  # ends the digest of a set that was not written whole


class Mark(Struct, frozen=True, rename={"key": "source", "at": "loaded_at", "text": "digest"}):
    """A short note that a store keeps under a key: a time and a text."""

    key: str
    at: Moment
    text: str


class MarkRows(Protocol):
    """The part of a store that reads and writes marks, which are short notes under a key."""

    def read_mark(self, key: str) -> Mark | None:
        """Return the note stored under `key`, or None if it is missing or cannot be read."""

    def write_mark(self, mark: Mark) -> None:
        """Store a note under its key, in place of an older one."""


class AppliedSet(Struct, frozen=True):
    """A note about which of its declared entries an owner, such as a YAML file, last wrote to the
    store.

    `loaded_at` is when the owner was read, `digest` a hash of the entries. `whole` is False while
    they are being written. An older set is not written over a newer one.
    """

    loaded_at: Moment
    digest: str
    whole: bool = True  # False while its entries are being written

    def holds(self, digest: str) -> bool:
        """Return True if the set with this hash was written to the store completely."""
        return self.whole and self.digest == digest


class VerifiedSet(Struct, frozen=True):
    """A note that the store had all entries that an owner, such as a YAML file, declares.

    The check need not be repeated while the store has the same `version` and number of `entries`.
    """

    loaded_at: Moment
    digest: str
    version: str
    entries: int


class CopiedTo(Struct, frozen=True):
    """A note that everything in a store was copied to another one, so that no daemon runs here.

    `place` is the URL of the other store without its password, and `at` the end of the copying.
    """

    place: str
    at: Moment


class Marks:
    """Reads and writes the short notes that a store keeps beside its entries, with methods for each
    kind.

    An owner declares entries: for example, a YAML file or a Celery app.
    """

    def __init__(self, rows: MarkRows) -> None:
        self._rows = rows

    def applied(self, owner: str) -> AppliedSet | None:
        """Return which declared entries `owner` last wrote to the store, or None if it never wrote
        any."""
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
        """Return True if a check has found all these entries of `owner` in the store, so it can be
        skipped.

        The entries, the store's version and its number of entries must be the same as then.
        """
        mark = self._rows.read_mark(_verified(owner, found).key)
        return mark is not None and mark.text == _verified(owner, found).text

    def write_verified(self, owner: str, found: VerifiedSet) -> None:
        """Note that the store has all entries that `owner` declares."""
        self._rows.write_mark(_verified(owner, found))

    def takeover(self, owner: str) -> str:
        """Return a text that changes each time an operator gives an entry of `owner` to another
        owner.

        Return "" if that has never happened.
        """
        mark = self._rows.read_mark(_takeover_key(owner))
        return "" if mark is None else mark.text

    def write_takeover(self, owner: str) -> None:
        """Note that an operator gave an entry of `owner` to another owner.

        Nothing is noted if `owner` never wrote any entries.
        """
        applied = self.applied(owner)
        if applied is not None:
            key = _takeover_key(owner)
            self._rows.write_mark(Mark(key, applied.loaded_at, token_hex(8)))

    def conflicts(self, owner: str) -> list[str]:
        """Return one text for each declared entry of `owner` that has a problem."""
        mark = self._rows.read_mark(_conflicts_key(owner))
        return [] if mark is None else mark.text.splitlines()

    def write_conflicts(self, owner: str, lines: Sequence[str], at: datetime) -> None:
        """Store one text for each declared entry of `owner` that has a problem."""
        self._rows.write_mark(Mark(_conflicts_key(owner), at, "\n".join(lines)))

    def alerts(self) -> tuple[datetime, str] | None:
        """Return when the leading daemon last checked for problems to alert about, with its text on
        it.

        Return None if no daemon has checked them yet.
        """
        mark = self._rows.read_mark(ALERTS_KEY)
        return None if mark is None else (mark.at, mark.text)

    def write_alerts(self, text: str, at: datetime) -> None:
        """Store when the leading daemon checked for problems to alert about, with its text on
        it."""
        self._rows.write_mark(Mark(ALERTS_KEY, at, text))

    def reloads_since(self, token: str | None, now: datetime) -> datetime | None:
        """Return since when the daemon that led last reloads, and so leads again in a moment.

        Return None if it does not. `token` is that of its term, the store's newest.
        """
        mark = self._rows.read_mark(RELOAD_KEY)
        if mark is None or mark.text != token:
            return None
        return mark.at if now - mark.at < RELOAD_LASTS else None

    def write_reload(self, token: str, at: datetime) -> None:
        """Note that the daemon that leads in the term with this token gives up the lead to
        reload."""
        self._rows.write_mark(Mark(RELOAD_KEY, at, token))

    def silences(self) -> dict[str, float]:
        """Return for each running run, by task id, how many seconds ago a worker last reported that
        it runs.

        Return an empty dict if nothing was stored, or if it cannot be read.
        """
        mark = self._rows.read_mark(SILENCES_KEY)
        try:
            return {} if mark is None else json.decode(mark.text, type=dict[str, float])
        except MsgspecError:
            return {}  # it was changed by hand; each silence counts anew

    def write_silences(self, silences: Mapping[str, float], at: datetime) -> None:
        """Store for each running run, by task id, how many seconds ago a worker last reported that
        it runs.

        The next leading daemon reads the numbers and continues to count.
        """
        self._rows.write_mark(Mark(SILENCES_KEY, at, json.encode(silences).decode()))

    def arguments(self, id: str) -> str | None:
        """Return the arguments, as JSON, given for a run that was requested by hand, or None if
        none were.

        `id` is the id of the request.
        """
        mark = self._rows.read_mark(ARGUMENTS_PREFIX + id)
        return None if mark is None else mark.text

    def write_arguments(self, id: str, text: str, at: datetime) -> None:
        """Store the arguments, as JSON, given for a run that is requested by hand; `id` names the
        request."""
        self._rows.write_mark(Mark(ARGUMENTS_PREFIX + id, at, text))

    def requested(self, task_id: str) -> str | None:
        """Return who requested a run by hand, and with which arguments, as JSON, or None if
        unknown."""
        mark = self._rows.read_mark(REQUESTED_PREFIX + task_id)
        return None if mark is None else mark.text

    def write_requested(self, task_id: str, text: str, at: datetime) -> None:
        """Store who requests a run by hand, and with which arguments, as JSON."""
        self._rows.write_mark(Mark(REQUESTED_PREFIX + task_id, at, text))

    def copied_to(self) -> CopiedTo | None:
        """Return where everything in the store was copied to, or None if daemons may run here."""
        mark = self._rows.read_mark(COPIED_KEY)
        return CopiedTo(mark.text, mark.at) if mark is not None and mark.text else None

    def write_copied_to(self, place: str, at: datetime) -> None:
        """Note that everything in the store was copied to the store at `place`.

        "" removes the note, so that daemons may run here again.
        """
        self._rows.write_mark(Mark(COPIED_KEY, at, place))

    def has_monitors(self) -> bool:
        """Return True if a run of an entry with the field `monitor` was ever published."""
        return self._rows.read_mark(MONITORS_KEY) is not None

    def write_monitors(self, at: datetime) -> None:
        """Note that a run of an entry with the field `monitor` was published."""
        self._rows.write_mark(Mark(MONITORS_KEY, at, ""))

    def rules(self) -> str | None:
        """Return the version of the planning rules by which the next runs in the store were
        computed.

        Return None if it is unknown.
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
