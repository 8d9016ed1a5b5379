"""Read a set of entries for `beatd diff`: a configuration, files, a folder, a glob, or git."""

import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from msgspec.structs import replace

from beatd.cli.failure import print_message
from beatd.cli.git_files import write_revision
from beatd.config import Config, examine, load_entries, load_schedules
from beatd.config.located_data import Map
from beatd.config.yaml import read_yaml
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem

#: Keys that only a configuration has: a file with one of them is a configuration.
_OF_CONFIGURATION = ("broker", "app", "store", "schedules")
_ABOUT_ENTRIES = (("entries",), ("schedules",), ("defaults",), ("timezone",))


class _Found(NamedTuple):
    entries: Sequence[Entry]
    problems: Sequence[Problem]


def entries_in(place: str, scope: Config) -> tuple[Entry, ...]:
    """Return the entries of a file, folder or glob, or of REV:PATH, a git revision.

    A file may be a whole configuration: then its own entries and the entry files of its `schedules`
    are read, with its own zone and defaults. Those of entry files are in `scope`. /dev/null has no
    entries. Raises ConfigError if an entry or a file is wrong, and click.UsageError if git does not
    have the files.
    """
    if place == os.devnull:
        return ()
    if ":" not in place or os.path.lexists(place) or has_magic(place):
        here = Path.cwd()
        found = _in_configuration(here / place) or _in_files(place, here, scope)
        return _valid(found, f"{here}/", "")
    with TemporaryDirectory(prefix="beatd-diff-") as name:
        folder = Path(name).resolve()
        shown = write_revision(place, folder)
        file = folder / Path(place.rpartition(":")[2]).name
        found = _in_configuration(file, shown) or _in_files(".", folder, scope)
        return _valid(found, f"{folder}/", shown)


def _in_files(place: str, folder: Path, scope: Config) -> _Found:
    loaded = load_entries(
        [place], folder=str(folder), timezone=scope.timezone, defaults=scope.defaults
    )
    return _Found(loaded.entries, loaded.problems)


def _in_configuration(path: Path, revision: str = "") -> _Found | None:
    """Return what a configuration declares, or None if the file is no configuration.

    Mistakes in other settings, such as the password of a broker that is not set here, do not
    count. `revision` is the folder in git from which the file was written, such as "main:".
    """
    if not path.is_file() or not _is_configuration(path):
        return None
    examined = examine(path)
    problems = [
        one
        for one in examined.problems
        if examined.config is None or one.path[:1] in _ABOUT_ENTRIES
    ]
    config = examined.config
    if config is None:
        return _Found((), problems)
    if revision and config.schedules:
        config = _with_schedules_of(revision, config, path.name)
    files = load_schedules(config)
    return _Found((*config.entries, *files.entries), (*problems, *files.problems))


def _is_configuration(path: Path) -> bool:
    data = read_yaml(path, str(path), os.environ).data
    return isinstance(data, Map) and any(key in data for key in _OF_CONFIGURATION)


def _with_schedules_of(revision: str, config: Config, name: str) -> Config:
    """Write the entry files of a configuration from git beside it, and return the configuration.

    It no longer has the `schedules` outside of its folder; a note on stderr names them.
    """
    inside = [place for place in config.schedules if not _is_outside(place)]
    for place in config.schedules:
        if _is_outside(place):
            text = f"schedules: {place!r} is outside of the folder in git, and was not read"
            print_message(f"note: {revision}{name}: {text}", "yellow")
    if inside:
        write_revision(revision, Path(config.folder))
    return replace(config, schedules=tuple(inside))


def _is_outside(place: str) -> bool:
    return os.path.isabs(place) or os.path.normpath(place).startswith("..")  # noqa: PTH117


def _valid(found: _Found, folder: str, shown: str) -> tuple[Entry, ...]:
    problems = [_as_typed(one, folder, shown) for one in found.problems]
    wrong = [problem for problem in problems if not problem.warning]
    if wrong:
        raise ConfigError(str(wrong[0]), wrong)
    for problem in problems:
        print_message(f"note: {problem}", "yellow")
    return tuple(found.entries)


def _as_typed(problem: Problem, folder: str, shown: str) -> Problem:
    """Return the problem with its paths as the user would type them: `shown`, not `folder`."""
    path = () if problem.path == ("schedules",) else problem.path
    text, place = (one.replace(folder, shown) for one in (problem.text, problem.place))
    return Problem(text, path, place, problem.warning)
