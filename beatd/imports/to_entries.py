"""Convert another scheduler's tasks to entries, whose intervals continue from the last run."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from beatd.definition import check
from beatd.entry import Entry
from beatd.errors import ConfigError, in_one_line
from beatd.imports.found_entry import FoundEntry, Refused, refused


class ImportedEntry(Struct, frozen=True):
    """An entry made from a task of another scheduler, with the task's last run and number of runs.

    `notes` are warnings, and sentences about differences from the original.
    """

    entry: Entry
    last: datetime | None
    runs: int
    notes: tuple[str, ...]


class Imported(Struct, frozen=True):
    """The entries that were made from another scheduler's tasks, and the refused tasks."""

    entries: tuple[ImportedEntry, ...]
    refused: tuple[Refused, ...]


def to_entries(
    found: Iterable[FoundEntry], *, timezone: str, source: str, declared_at: str = ""
) -> Imported:
    """Convert tasks of another scheduler to entries; refuse invalid tasks and repeated names.

    `timezone` is for tasks without one. `source` and `declared_at` become fields of each entry.
    """
    entries: dict[str, ImportedEntry] = {}
    wrong: list[Refused] = []
    for one in found:
        if one.name in entries:
            wrong.append(Refused(one.name, "another entry of this source has the same name"))
            continue
        try:
            entries[one.name] = _imported(one, timezone, source, declared_at)
        except Exception as error:
            wrong.append(refused(one.name, error))
    return Imported(tuple(entries.values()), tuple(wrong))


def _imported(one: FoundEntry, timezone: str, source: str, declared_at: str) -> ImportedEntry:
    plain = anchored(one)
    checked = check(one.name, plain, timezone=timezone, source=source, declared_at=declared_at)
    if checked.entry is None:
        raise ConfigError(in_one_line([p for p in checked.problems if not p.warning]))
    warnings = [str(problem) for problem in checked.problems if problem.warning]
    return ImportedEntry(checked.entry, one.last, one.runs, (*one.notes, *warnings))


def anchored(one: FoundEntry) -> dict[str, object]:
    """Return a task's fields as in YAML, with an interval that continues from the task's last run.

    So a weekly task still runs on the same day and hour. An interval with a `start` is unchanged.
    """
    plain = dict(one.plain)
    if "every" in plain and "start" not in plain and one.last is not None:
        # Without the fraction, which is only how long celery's last tick took.
        last = one.last.astimezone(UTC)
        if _is_whole_seconds(plain["every"]):
            last = last.replace(microsecond=0)
        plain["start"] = last.isoformat()
    return plain


def _is_whole_seconds(every: object) -> bool:
    return isinstance(every, timedelta) and not every % timedelta(seconds=1)
