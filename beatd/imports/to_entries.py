"""From what a foreign scheduler holds to entries that go on where it stopped."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from beatd.definition import check
from beatd.entry import Entry
from beatd.errors import ConfigError
from beatd.imports.found_entry import FoundEntry, Refused, refused
from beatd.problem import in_one_line


class ImportedEntry(Struct, frozen=True):
    """An entry and what it did before it came to us."""

    entry: Entry
    last: datetime | None
    runs: int
    notes: tuple[str, ...]


class Imported(Struct, frozen=True):
    entries: tuple[ImportedEntry, ...]
    refused: tuple[Refused, ...]


def to_entries(
    found: Iterable[FoundEntry], *, timezone: str, source: str, declared_at: str = ""
) -> Imported:
    """Entries in the order found; a name that comes twice is refused the second time."""
    entries: dict[str, ImportedEntry] = {}
    wrong: list[Refused] = []
    for one in found:
        if one.name in entries:
            wrong.append(Refused(one.name, "another entry of this source has the same name"))
            continue
        try:
            entries[one.name] = _taken(one, timezone, source, declared_at)
        except Exception as error:
            wrong.append(refused(one.name, error))
    return Imported(tuple(entries.values()), tuple(wrong))


def _taken(one: FoundEntry, timezone: str, source: str, declared_at: str) -> ImportedEntry:
    plain = anchored(one)
    checked = check(one.name, plain, timezone=timezone, source=source, declared_at=declared_at)
    if checked.entry is None:
        raise ConfigError(in_one_line([p for p in checked.problems if not p.warning]))
    warnings = [str(problem) for problem in checked.problems if problem.warning]
    return ImportedEntry(checked.entry, one.last, one.runs, (*one.notes, *warnings))


def anchored(one: FoundEntry) -> dict[str, object]:
    """An `every` whose last run is known goes on from it: a weekly one keeps its day and hour."""
    plain = dict(one.plain)
    if "every" in plain and "start" not in plain and one.last is not None:
        # Whole seconds: what comes after them is only how long the last tick took.
        last = one.last.astimezone(UTC)
        if _is_whole_seconds(plain["every"]):
            last = last.replace(microsecond=0)
        plain["start"] = last.isoformat()
    return plain


def _is_whole_seconds(every: object) -> bool:
    return isinstance(every, timedelta) and not every % timedelta(seconds=1)
