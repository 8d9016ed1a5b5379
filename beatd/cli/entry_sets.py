"""Read a set of entries for `beatd diff`: files, a folder, a glob, or files in a git revision."""

import os
from glob import has_magic
from pathlib import Path
from tempfile import TemporaryDirectory

from beatd.cli.failure import print_message
from beatd.cli.git_files import write_revision
from beatd.config import Config, EntryFiles, load_entries
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem


def entries_in(place: str, scope: Config) -> tuple[Entry, ...]:
    """Return the entries of a file, folder or glob, or of REV:PATH, a git revision.

    /dev/null has no entries. Zone and defaults are those of `scope`. Raises ConfigError
    if an entry or a file is wrong, and click.UsageError if git does not have the files.
    """
    if place == os.devnull:
        return ()
    if ":" not in place or os.path.lexists(place) or has_magic(place):
        here = Path.cwd()
        return _valid(_loaded(place, here, scope), f"{here}/", "")
    with TemporaryDirectory(prefix="beatd-diff-") as name:
        folder = Path(name).resolve()
        shown = write_revision(place, folder)
        return _valid(_loaded(".", folder, scope), f"{folder}/", shown)


def _loaded(place: str, folder: Path, scope: Config) -> EntryFiles:
    return load_entries(
        [place], folder=str(folder), timezone=scope.timezone, defaults=scope.defaults
    )


def _valid(loaded: EntryFiles, folder: str, shown: str) -> tuple[Entry, ...]:
    problems = [_as_typed(one, folder, shown) for one in loaded.problems]
    wrong = [problem for problem in problems if not problem.warning]
    if wrong:
        raise ConfigError(str(wrong[0]), wrong)
    for problem in problems:
        print_message(f"note: {problem}", "yellow")
    return loaded.entries


def _as_typed(problem: Problem, folder: str, shown: str) -> Problem:
    """Return the problem with its paths as the user would type them: `shown`, not `folder`."""
    path = () if problem.path == ("schedules",) else problem.path
    text, place = (one.replace(folder, shown) for one in (problem.text, problem.place))
    return Problem(text, path, place, problem.warning)
