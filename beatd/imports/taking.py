"""From what a foreign scheduler holds to entries that go on where it stopped."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from beatd.definition import check
from beatd.entry import Entry
from beatd.imports.found import Found, Refused
from beatd.problem import in_one_line


class Taken(Struct, frozen=True):
    """An entry and what it did before it came to us."""

    entry: Entry
    last: datetime | None
    runs: int
    notes: tuple[str, ...]


class TakenOver(Struct, frozen=True):
    entries: tuple[Taken, ...]
    refused: tuple[Refused, ...]


def taken_over(
    found: Iterable[Found], *, timezone: str, source: str, declared_at: str = ""
) -> TakenOver:
    """Entries in the order found; a name that comes twice is refused the second time."""
    entries: dict[str, Taken] = {}
    refused: list[Refused] = []
    for one in found:
        if one.name in entries:
            refused.append(Refused(one.name, "another entry of this source has the same name"))
            continue
        plain = anchored(one)
        checked = check(one.name, plain, timezone=timezone, source=source, declared_at=declared_at)
        if checked.entry is None:
            wrong = [problem for problem in checked.problems if not problem.warning]
            refused.append(Refused(one.name, in_one_line(wrong)))
            continue
        warnings = [str(problem) for problem in checked.problems if problem.warning]
        notes = (*one.notes, *warnings)
        entries[one.name] = Taken(checked.entry, one.last, one.runs, notes)
    return TakenOver(tuple(entries.values()), tuple(refused))


def anchored(one: Found) -> dict[str, object]:
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
