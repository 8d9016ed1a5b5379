"""Pause and resume entries, and resume each entry automatically when its pause ends."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from beatd.catalog import Change, EditableCatalog, Stored
from beatd.changes import Author, Changes, Pause
from beatd.edits.editing import Now, change_each, refuse_stale, rows
from beatd.edits.entry_change import changed
from beatd.errors import ConfigError
from beatd.run import MICROSECOND

#: How early an entry is resumed. Its plan begins at the end of the pause, so that no run is early.
RESUME_AHEAD = timedelta(seconds=2)
RESUMED_AT_ONCE = 1_000
PAUSE_ENDED = Author("beatd", "daemon", "the pause has ended")


def pause(
    catalog: EditableCatalog,
    names: Sequence[str],
    now: Now,
    author: Author,
    *,
    until: datetime | None = None,
    seen: int | None = None,
) -> list[str]:
    """Pause entries of any owner, and return the names that were not paused before.

    beatd resumes them at `until`; None pauses them for good. An entry that is paused already gets
    the new end and the new note, if they are given; the rest of its pause stays. Raises
    UnknownEntry for an unknown name, and ConfigError if `until` is not ahead.
    """
    paused: list[str] = []

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        moment = now()
        refuse_past_end(until, moment)
        for row in found:
            refuse_stale(row.entry.name, row, seen)
            made = Pause(moment, author.name, until, author.note)
            if not row.paused:
                paused.append(row.entry.name)
            elif until is None and not author.note:
                continue
            elif (held := row.pause) is not None:
                note = author.note or held.note
                made = replace(held, until=until or held.until, note=note)
            yield changed(row, row.entry, moment, author, paused=True, pause=made)

    change_each(catalog, names, make)
    return list(dict.fromkeys(paused))


def refuse_past_end(until: datetime | None, now: datetime) -> None:
    """Raise ConfigError if a pause would end at `until`, which is not after `now`."""
    if until is not None and until <= now:
        raise ConfigError(
            f"a pause cannot end at {until:%Y-%m-%dT%H:%M:%SZ}, which is past; give a later "
            "moment, or a length from now like 2h"
        )


def resume(
    catalog: EditableCatalog,
    names: Sequence[str],
    now: Now,
    author: Author,
    *,
    seen: int | None = None,
) -> list[str]:
    """Resume entries of any owner, and return the names that were paused before.

    Moments missed during the pause do not run. Raises UnknownEntry for an unknown name.
    """
    resumed: list[str] = []

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        moment = now()
        for row in found:
            refuse_stale(row.entry.name, row, seen)
            if row.paused:
                resumed.append(row.entry.name)
                yield changed(row, row.entry, moment, author, paused=False)

    change_each(catalog, names, make)
    return list(dict.fromkeys(resumed))


def end_pauses(
    catalog: EditableCatalog,
    changes: Changes,
    now: datetime,
    may_go_on: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Resume each entry whose pause ends within RESUME_AHEAD, and return the names.

    The plan of each entry begins at the end of its pause: a moment at that end runs, an earlier one
    does not. An entry that somebody changes meanwhile is left to the next call.
    """
    resumed: list[str] = []
    soon = now + RESUME_AHEAD
    names = changes.ending_pauses(soon, RESUMED_AT_ONCE)
    if not names or not may_go_on():
        return []
    made = []
    for row in rows(catalog, names).values():
        until = row.pause.until if row.pause is not None else None
        if row.paused and until is not None and until <= soon:
            end = until - MICROSECOND
            made.append(changed(row, row.entry, end, PAUSE_ENDED, paused=False))
    for change, done in zip(made, catalog.write(made), strict=True):
        if done:
            resumed.append(change.name)
    return resumed
