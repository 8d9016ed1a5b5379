"""Read the entries under `entries:` in the configuration and in entry files."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from beatd.config import settings
from beatd.config.entry_paths import find_files, shown_path
from beatd.config.located_data import Map, line_of, words
from beatd.config.yaml import Read, read_yaml
from beatd.definition import DEFAULTABLE, check
from beatd.definition.check import hint_for, read_fields
from beatd.definition.fields import KEYS
from beatd.definition.kinds import zone
from beatd.entry import CANVASES, PAYLOAD, Entry
from beatd.errors import ConfigError, Problem, nearest
from beatd.schedules.quote import quoted

OWN_VALUES = (*PAYLOAD, *CANVASES)  # keys whose values have texts of the operator's own
FILE_KEYS = ("entries", "timezone", "defaults")


class EntryFile(Struct, frozen=True):
    """The entries in one entry file, the names it declares, and its problems.

    If the file is not `valid`, none of its entries may be used. `names` has all declared names,
    also those of invalid entries.
    """

    path: Path
    entries: tuple[Entry, ...]
    names: frozenset[str]
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """True if the file has no errors; warnings are allowed."""
        return all(problem.warning for problem in self.problems)


class EntryFiles(Struct, frozen=True):
    """The entry files that a configuration names, with their entries and problems.

    `missing` has the places (files, folders and globs) that do not exist, have no entry file or
    cannot be read. `problems` has the problems of all files and places.
    """

    files: tuple[EntryFile, ...]
    missing: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of all valid files; of two entries with the same name, only the first."""
        found: dict[str, Entry] = {}
        for file in self.files:
            if file.valid:
                for entry in file.entries:
                    found.setdefault(entry.name, entry)
        return tuple(found.values())


class Scope(Struct, frozen=True):
    """What all entries of a file inherit: time zone, default values and owner."""

    timezone: str
    defaults: Mapping[str, Any]
    source: str


def load_entries(
    places: Iterable[str],
    *,
    folder: str = ".",
    timezone: str = "UTC",
    defaults: Mapping[str, Any] | None = None,
    source: str = "yaml:config",
    declared_places: Mapping[str, str] | None = None,
    shown: str = "",
    environment: Mapping[str, str] | None = None,
    missing_folder_warns: bool = False,
) -> EntryFiles:
    """Read the entry files in `places`, and return their entries with every problem.

    A place is a file, a folder or a glob, relative to `folder`. The entries inherit `timezone`,
    `defaults` and their owner, `source`. `declared_places` maps each name that is declared
    elsewhere to its place; a second declaration of a name is a problem. `shown` is the path of the
    configuration as the user typed it. `environment` (by default os.environ) replaces variables.

    A place that does not exist is an error. If `missing_folder_warns` is True, it is only a
    warning, unless the place has the name of a YAML file.
    """
    scope = Scope(timezone, defaults or {}, source)
    known = os.environ if environment is None else environment
    files: list[EntryFile] = []
    problems: list[Problem] = []
    missing: list[str] = []
    seen = dict(declared_places or {})
    paths, lost = find_files(places, folder, missing_folder_warns=missing_folder_warns)
    for place, text, warning in lost:
        missing.append(place)
        problems.append(Problem(f"{quoted(place)} {text}", ("schedules",), shown, warning))
    for path in paths:
        file = read_entry_file(path, folder, scope, known, seen, shown_path(path, shown))
        files.append(file)
        problems += file.problems
    return EntryFiles(tuple(files), tuple(missing), tuple(problems))


def read_entry_file(
    path: Path,
    folder: str,
    scope: Scope,
    environment: Mapping[str, str],
    declared_places: dict[str, str],
    shown: str = "",
) -> EntryFile:
    """Read one entry file, and return its entries, names and problems.

    The entries inherit from `scope`, and their `declared_at` is relative to `folder`.
    `declared_places` maps each known name to its place; the names of this file are added to it.
    `shown` is the file's path in messages. `environment` replaces variables. An invalid file raises
    no exception.
    """
    read = read_yaml(path, shown or str(path), environment)
    entries: list[Entry] = []
    names: frozenset[str] = frozenset()
    if isinstance(read.data, Map):
        declared = read.data.get("entries")
        if declared is not None:
            found = _in_file(read, read.data, scope)
        if "entries" not in read.data:
            read.wrong("has no `entries:`; put the entries under it, by name", read.data.line)
        elif declared is None:
            add_problem(read, read.data, Problem("is empty", ("entries",), warning=True))
        else:
            place = os.path.relpath(path, folder)
            entries, names = read_entries(declared, read, found, place, declared_places)
    elif not read.problems:
        if read.data is None:
            read.problems.append(Problem("is empty", place=read.shown, warning=True))
        else:
            read.wrong(f"{quoted(read.data)} is not a mapping; put entries under `entries:`", 1)
    return EntryFile(path, tuple(entries), names, sorted_by_line(read.problems))


def _in_file(read: Read, tree: Map, scope: Scope) -> Scope:
    # The file itself may set the time zone and the defaults.
    for key in tree:
        if key not in FILE_KEYS and not key.startswith("x-"):
            is_setting = key in settings.KEYS
            hint = "; it is one of a configuration" if is_setting else nearest(key, FILE_KEYS)
            text = f"is not a key of an entry file{hint}"
            add_problem(read, tree, Problem(text, (key,)))
    timezone, defaults = scope.timezone, scope.defaults
    if tree.get("timezone") is not None:
        try:
            timezone = zone().read(tree["timezone"], "")
        except ConfigError as error:
            add_problem(read, tree, Problem(str(error), ("timezone",)))
    if tree.get("defaults") is False:
        defaults = {}
    elif tree.get("defaults") is not None:
        own = read_defaults(tree["defaults"], timezone, read, tree)
        defaults = {**defaults, **own}
        if "options" in own and isinstance(scope.defaults.get("options"), Mapping):
            defaults["options"] = {**scope.defaults["options"], **own["options"]}
    return Scope(timezone, defaults, scope.source)


def read_defaults(given: Any, timezone: str, read: Read, tree: Map) -> dict[str, Any]:
    """Return the valid defaults in `given`, the value of `defaults:`, as they were written.

    A problem is added to `read` for each invalid one. Defaults without a value are left out.
    """
    if not isinstance(given, Mapping):
        text = f"{quoted(given)} is not a mapping; write it like {{options: {{queue: periodic}}}}"
        add_problem(read, tree, Problem(text, ("defaults",)))
        return {}
    problems = [
        Problem(f"cannot be a default{hint_for(key, DEFAULTABLE)}", (key,))
        for key in given
        if key not in DEFAULTABLE
    ]
    problems += read_fields({k: v for k, v in given.items() if k in DEFAULTABLE}, timezone)[1]
    for problem in problems:
        add_problem(read, tree, problem.under("defaults"))
    bad = {problem.path[0] for problem in problems if not problem.warning}
    return {key: value for key, value in given.items() if key not in bad and value is not None}


def read_entries(
    declared: Any, read: Read, scope: Scope, shown: str, declared_places: dict[str, str]
) -> tuple[list[Entry], frozenset[str]]:
    """Return the valid entries under `entries:`, and all names, also those of invalid entries.

    `declared` is the mapping under `entries:`. The entries inherit from `scope`. `shown` is the
    file's path as the store has it. Problems are added to `read`, and new names with their places
    to `declared_places`; a name that is already there is a problem.
    """
    tree = read.data
    if not isinstance(declared, Map):
        text = (
            f"{quoted(declared)} is not a mapping; write it like {{tidy: {{task: t, every: 1h}}}}"
        )
        add_problem(read, tree, Problem(text, ("entries",)))
        return [], frozenset()
    entries = []
    for name, plain in declared.items():
        at = f"{shown}:{declared.lines[name]}"
        shallow = _too_shallow(name, plain, declared)
        if shallow:
            add_problem(read, tree, Problem(shallow, ("entries", name)))
            continue
        checked = check(
            name,
            plain,
            timezone=scope.timezone,
            source=scope.source,
            declared_at=at,
            defaults=scope.defaults,
        )
        for problem in checked.problems:
            add_problem(read, tree, problem.under("entries", name))
        if isinstance(plain, Map):
            for path, word in words({key: plain[key] for key in OWN_VALUES if key in plain}):
                text = f"{quoted(str(word))} is text here, and something else in YAML 1.1; quote it"
                add_problem(read, tree, Problem(text, ("entries", name, *path), warning=True))
        if name in declared_places:
            text = f"is declared in {declared_places[name]} already; give one of them another name"
            add_problem(read, tree, Problem(text, ("entries", name)))
        else:
            declared_places[name] = f"{read.shown}:{declared.lines[name]}"
            if checked.entry is not None:
                entries.append(checked.entry)
    return entries, frozenset(declared)


def _too_shallow(name: str, plain: Any, declared: Map) -> str:
    # `plain` is the value of `name` in `declared`, the mapping of all entries.
    if plain is None and any(key in KEYS for key in declared):
        return "is empty; is what follows it indented too little?"
    if name in KEYS and not isinstance(plain, Mapping):
        return "is a key of an entry, and stands where a name should; is it indented too little?"
    return ""


def add_problem(read: Read, tree: Any, problem: Problem) -> None:
    """Add a problem to `read`, with the line of its key in `tree`.

    Nothing is added if the line has a variable that is not set, which is already a problem.
    """
    place = f"{read.shown}:{line_of(tree, problem.path)}"
    if place in read.unread:
        return
    read.problems.append(Problem(problem.text, problem.path, place, problem.warning))


def sorted_by_line(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems of one file, sorted by their lines."""

    def line(problem: Problem) -> int:
        number = problem.place.rpartition(":")[2]
        return int(number) if number.isdigit() else 0

    return tuple(sorted(problems, key=line))
