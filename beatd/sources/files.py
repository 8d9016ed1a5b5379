"""Read entries from the YAML configuration and from the files that its `schedules:` names."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from beatd.clock import Clock
from beatd.config import Config, EntryFile, examine, load_schedules
from beatd.config.entry_paths import find_files, shown_path
from beatd.config.unjudged import unjudged
from beatd.edits.declared_set import Declared, digest_of
from beatd.entry import Entry
from beatd.errors import Problem
from beatd.sources import Reading, one_offs_of
from beatd.sources.file_watch import FileWatch, Look, look_at
from beatd.sources.start_settings import StartSettings

_LINE = re.compile(r":\d+$")


class Files:
    """Reads entries from YAML files; for an invalid file, it returns the last valid entries."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._path = Path(config.shown) if Path(config.shown).is_file() else None
        self._good: dict[Path, tuple[Entry, ...]] = {}
        self._wrong: dict[Path, Look] = {}  # the invalid files, as they were at the last reading
        self._one_offs: dict[str, Entry] | None = None  # those of the last reading
        self._start_settings = StartSettings(config)
        self._watch = FileWatch(self._paths, clock)

    @property
    def owner(self) -> str:
        return self._config.source

    def stale(self) -> bool:
        return self._watch.differs()

    def changed(self) -> bool:
        return self._watch.changed()

    def read(self) -> Reading:
        unchanged_for = self._clock.elapsed() - self._watch.known_at
        self._watch.seen()
        loaded_at = self._clock.now()
        unseen_since = loaded_at - timedelta(seconds=unchanged_for)
        problems = list(self._read_config())
        wrong = {self._path} if self._path and _is_wrong(problems) else set()
        config = self._config
        entries = {entry.name: entry for entry in config.entries}
        files = load_schedules(config)
        doubtful = [self._relative(place) for place in files.missing]
        unread: set[str] = set()
        wrong_at: dict[str, str] = {}
        # The last valid content of a file that is gone is dropped with it.
        present = {file.path for file in files.files}
        self._good = {path: known for path, known in self._good.items() if path in present}
        for file in files.files:
            known = self._last_valid(file)
            wrong |= set() if file.valid else {file.path}
            if known is None:
                unread |= file.names
                wrong_at[self._relative(str(file.path))] = _first_error(file)
            if not known:
                doubtful.append(self._relative(str(file.path)))
            for entry in known or ():
                entries.setdefault(entry.name, entry)
        if not config.entries and self._path is not None:
            doubtful.append(self._path.name)
        read = present | {self._path}
        looks = {path: look_at((path,)) for path in wrong}
        before, self._wrong = self._wrong, looks

        # The daemon runs such entries; only the command `beatd check` refuses them.
        problems += [replace(one, warning=True) for one in unjudged(entries.values(), self._config)]
        declared = tuple(without_line(entry) for entry in entries.values())
        return Reading(
            Declared(
                source=config.source,
                entries=declared,
                loaded_at=loaded_at,
                digest=digest_of(declared),
                doubtful=tuple(doubtful),
                unread=frozenset(unread),
                unreadable=frozenset(wrong_at),
                places={name: entry.declared_at for name, entry in entries.items()},
                made=self._made(declared, files.files, loaded_at, unseen_since),
            ),
            (*problems, *files.problems),
            valid_again=self._shown(before.keys() & read - wrong),
            needs_reload=self._start_settings.needs_reload,
            gone=self._shown(before.keys() - read),
            untouched=frozenset(
                self._shown(path for path in wrong if before.get(path) == looks[path])
            ),
            wrong_at=wrong_at,
        )

    def _shown(self, paths: Iterable[Path]) -> tuple[str, ...]:
        # The paths as the problems have them.
        shown = self._config.shown
        return tuple(
            sorted(shown if path == self._path else shown_path(path, shown) for path in paths)
        )

    def _made(
        self,
        declared: Iterable[Entry],
        files: Iterable[EntryFile],
        now: datetime,
        unseen_since: datetime,
    ) -> dict[str, datetime]:
        before, one_offs = self._one_offs, one_offs_of(declared)
        self._one_offs = one_offs
        new = {name for name in one_offs if (before or {}).get(name) != one_offs[name]}
        if not new:
            return {}
        of = {entry.name: file.path for file in files for entry in file.entries}
        made: dict[str, datetime] = {}
        for name in new:
            path = of.get(name, self._path)
            if path is None:
                continue
            with suppress(OSError):
                age = self._clock.host_now().timestamp() - path.stat().st_mtime
                written = now - timedelta(seconds=age)
                # A copied file may be older than the edit, so it counts from the last look without
                # a change.
                made[name] = written if before is None else max(written, unseen_since)
        return made

    def _read_config(self) -> Iterator[Problem]:
        if self._path is None:
            return
        found = examine(self._path, app=self._config.app)
        yield from found.problems
        if found.config is not None and not _is_wrong(found.problems):
            # Other settings need a restart or SIGHUP.
            self._start_settings.compare(found.config)
            self._config = replace(
                self._config,
                timezone=found.config.timezone,
                schedules=found.config.schedules,
                defaults=found.config.defaults,
                entries=found.config.entries,
            )

    def _last_valid(self, file: EntryFile) -> tuple[Entry, ...] | None:
        if file.valid:
            self._good[file.path] = file.entries
        return self._good.get(file.path)

    def _paths(self) -> Iterable[Path]:
        found = find_files(self._config.schedules, self._config.folder)[0]
        return found if self._path is None else [self._path, *found]

    def _relative(self, place: str) -> str:
        full = os.path.join(self._config.folder, place)  # noqa: PTH118  # a glob is no path
        return os.path.relpath(full, self._config.folder)


def _first_error(file: EntryFile) -> str:
    return next(problem.place for problem in file.problems if not problem.warning)


def _is_wrong(problems: Iterable[Problem]) -> bool:
    return any(not problem.warning for problem in problems)


def without_line(entry: Entry) -> Entry:
    """Return the entry without the number of the line that declares it, but with the file's name.

    The line number changes when other lines are added, although the entry does not change.
    """
    return replace(entry, declared_at=_LINE.sub("", entry.declared_at))
