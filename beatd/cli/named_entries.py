"""Find the entries that `beatd next` is to show, in the configuration, the store or the app."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from beatd.catalog import Query, Stored
from beatd.cli.config_option import ConfigOption
from beatd.cli.failure import print_message
from beatd.cli.url_option import remote_daemon
from beatd.entry import Entry
from beatd.errors import ConfigError, StoreError, UnknownEntry, in_one_line
from beatd.views.pause_text import end_text

NOTHING_RUNS = "none of these runs until it is"

Found = tuple[list[Entry], Mapping[str, Stored]]


def entries_named(given: ConfigOption, names: Sequence[str], tz: str | None) -> Found:
    """Return the entries of these names, in the zone `tz` if given, and their rows in the store.

    The configuration counts before the store: it has what no daemon has applied yet. Raises
    UnknownEntry if neither has a name.
    """
    if given.url is not None:
        from beatd.edits.editing import row_of

        catalog = remote_daemon(given.url).roles().catalog
        rows: Mapping[str, Stored] = {name: row_of(catalog, name) for name in names}
        known = {name: row.entry for name, row in rows.items()}
    else:
        known, rows = _known_here(given, names)
    found = [known[name] for name in names]
    return ([_in_zone(entry, tz) for entry in found] if tz else found), rows


def stopped_text(entry: Entry, row: Stored | None, now: datetime) -> str:
    """Return why none of an entry's next runs will be: "paused until 14:00 CET: …", else ""."""
    if not entry.enabled:
        return f"disabled: {NOTHING_RUNS} enabled"
    if row is None or not row.paused:
        return ""
    if row.pause is None or row.pause.until is None:
        return f"paused: {NOTHING_RUNS} resumed"
    return f"paused until {end_text(row.pause.until, now, entry.tz)}: no run before that"


def _known_here(
    given: ConfigOption, names: Sequence[str]
) -> tuple[dict[str, Entry], dict[str, Stored]]:
    from beatd.config import load_schedules

    config = given.load()
    known = {entry.name: entry for entry in config.entries}
    if any(name not in known for name in names) and config.schedules:
        files = load_schedules(config)
        known = {entry.name: entry for entry in files.entries} | known
        wrong = [problem for problem in files.problems if not problem.warning]
        if wrong and any(name not in known for name in names):
            raise ConfigError(in_one_line(wrong), wrong)
    rows, near = _rows_of(config, names, known)
    known = {name: row.entry for name, row in rows.items()} | known
    if config.app is not None and any(name not in known for name in names):
        known |= from_app(config)  # in the store only after a daemon has applied them
    for name in names:
        if name not in known:
            alike = get_close_matches(name, [*known, *near], 1)
            hint = f"; did you mean {alike[0]}?" if alike else ""
            raise UnknownEntry(f"no entry is called {name!r}{hint}", name)
    return known, rows


def declared_here(config: Any) -> dict[str, Entry]:
    """Return the entries of the configuration and its entry files, by name.

    The first mistake in a file is printed as a note, and its other entries count.
    """
    from beatd.config import load_schedules

    files = load_schedules(config)
    wrong = [problem for problem in files.problems if not problem.warning]
    if wrong:
        more = f" (and {len(wrong) - 1} more; see `beatd check`)" if len(wrong) > 1 else ""
        print_message(f"note: {wrong[0]}{more}", "yellow")
    return {entry.name: entry for entry in (*files.entries, *config.entries)}


def stored_here(config: Any, known: Mapping[str, Entry]) -> Iterator[Stored]:
    """Yield all entries of the store of the configuration.

    A store that does not answer is only noted if entries are `known` without it.
    """
    from beatd.wiring.configured_store import configured_store

    if config.store.url.startswith("memory:"):
        return
    try:
        store = configured_store(config, if_absent="empty")
        try:
            yield from store.find(Query())
        finally:
            store.close()
    except StoreError as error:
        if not known:
            raise
        print_message(f"note: {error}; what only the store has is not shown", "yellow")


def _rows_of(
    config: Any, names: Sequence[str], known: Mapping[str, Entry]
) -> tuple[dict[str, Stored], list[str]]:
    """Return the rows of these names in the store, and names that are similar to a missing one.

    A store that does not answer is only noted if all names are `known` without it.
    """
    from beatd.edits.editing import rows
    from beatd.edits.unknown_entry import nearest_name
    from beatd.wiring.configured_store import configured_store

    missing = [name for name in names if name not in known]
    if not missing and config.store.url.startswith("memory:"):
        return {}, []
    try:
        store = configured_store(config, if_absent="empty")
        try:
            found = rows(store, names)
            lost = [name for name in missing if name not in found]
            return found, [near for name in lost if (near := nearest_name(store, name))]
        finally:
            store.close()
    except StoreError as error:
        if missing:
            raise
        print_message(f"note: {error}; whether an entry is paused is not known", "yellow")
        return {}, []


def from_app(config: Any) -> dict[str, Entry]:
    """Return the entries that the Celery app declares, by name.

    Raises ConfigError if all its declarations are wrong.
    """
    from beatd.cli.connect_check import declared_by_app
    from beatd.wiring.build import celery_app

    problems, entries = declared_by_app(celery_app(config), config, ())
    wrong = [problem for problem in problems if not problem.warning]
    if wrong and not entries:
        raise ConfigError(in_one_line(wrong), wrong)
    return {entry.name: entry for entry in entries}


def _in_zone(entry: Entry, tz: str) -> Entry:
    from beatd.definition import entry_from, plain_of

    return entry_from(entry.name, {**plain_of(entry), "tz": tz})
