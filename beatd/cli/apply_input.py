"""Read the entries for `beatd apply`, from the configuration or from given files."""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path

from msgspec.structs import replace

from beatd.cli.failure import print_message
from beatd.clock import SystemClock
from beatd.config import Config, load_entries
from beatd.config.entry_paths import find_files
from beatd.edits.declared_set import Declared, digest_of
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem
from beatd.sources import Source
from beatd.sources.files import Files, without_line


def declared_in_config(config: Config, *, prune: bool) -> list[Declared]:
    """Return the entries declared in the configuration and its app, one `Declared` for each source.

    Raises ConfigError if a source is wrong. With `prune`, a missing file or folder of `schedules`
    is only a warning.
    """
    sources: list[Source] = [Files(config, SystemClock())]
    if config.app is not None:
        from beatd.wiring.build import celery_app, sources_of

        sources = sources_of(config, clock=SystemClock(), app=celery_app(config))
    readings = [source.read() for source in sources]
    problems = [problem for reading in readings for problem in reading.problems]
    _report(_as_intended(problem) if prune else problem for problem in problems)
    return [reading.declared for reading in readings]


def declared_in_files(config: Config, places: Sequence[str], name: str | None) -> list[Declared]:
    """Return the entries declared in files, folders and globs, one `Declared` for each owner.

    The owner is `name` if given; else the configuration, for a file that its `schedules` include;
    else the name of the file or folder. Raises ConfigError if a file is wrong.
    """
    here = Path.cwd()
    loaded = load_entries(
        places, folder=str(here), timezone=config.timezone, defaults=config.defaults
    )
    _report(_as_typed(problem, f"{here}/") for problem in loaded.problems)
    covered = {os.path.realpath(path) for path in find_files(config.schedules, config.folder)[0]}
    place_of = {
        path: place for place in reversed(places) for path in find_files([place], str(here))[0]
    }
    sets: dict[str, list[Entry]] = {}
    within: set[str] = set()
    for file in loaded.files:
        if name is None and os.path.realpath(file.path) in covered:
            owner = config.source
            within.add(_below(config.folder, here, str(file.path)))
        else:
            owner = f"yaml:{name or _name_of(place_of[file.path])}"
            _refuse_owner_of_configuration(owner, config, place_of[file.path])
        sets.setdefault(owner, []).extend(file.entries)
    now = datetime.now(UTC)
    return [_set(config, here, owner, entries, within, now) for owner, entries in sets.items()]


def _set(
    config: Config,
    here: Path,
    owner: str,
    entries: Iterable[Entry],
    within: Iterable[str],
    now: datetime,
) -> Declared:
    declared = [replace(entry, source=owner) for entry in entries]
    # Places are relative to the configuration's folder, whatever the current folder is.
    relative = tuple(
        replace(entry, declared_at=_below(config.folder, here, entry.declared_at))
        for entry in map(without_line, declared)
    )
    return Declared(
        source=owner,
        entries=relative,
        loaded_at=now,
        digest=digest_of(relative),
        places={entry.name: entry.declared_at for entry in declared},
        within=frozenset(within) if owner == config.source else frozenset(),
    )


def _name_of(place: str) -> str:
    """Return the folder's name, or the file's name without suffix: "jobs" for "conf/jobs.yaml".

    Raises ConfigError for a glob pattern.
    """
    path = Path(place).resolve()
    if has_magic(place) and not path.exists():
        raise ConfigError(f"{place!r}: whose are these entries? give --name")
    return path.name if path.is_dir() else path.stem


def _refuse_owner_of_configuration(owner: str, config: Config, place: str) -> None:
    if owner == config.source and (config.entries or config.schedules):
        raise ConfigError(
            f"{place!r}: {owner} is the configuration, whose daemon would remove what it does not "
            "declare; put the file under its `schedules`, or give another --name"
        )


def _below(folder: str, here: Path, place: str) -> str:
    """Convert a path relative to `here` into a path relative to `folder`."""
    return os.path.relpath(here / place, folder)


def _report(problems: Iterable[Problem]) -> None:
    """Print all warnings, or raise ConfigError if a problem is an error."""
    found = list(problems)
    wrong = [problem for problem in found if not problem.warning]
    if wrong:
        raise ConfigError(str(wrong[0]), wrong)
    for problem in found:
        print_message(f"note: {problem}", "yellow")


def _as_intended(problem: Problem) -> Problem:
    """Turn the error about a missing file or folder of `schedules` into a warning.

    Any other problem is returned unchanged.
    """
    warning = problem.warning or problem.path == ("schedules",)
    return Problem(problem.text, problem.path, problem.place, warning)


def _as_typed(problem: Problem, here: str) -> Problem:
    """Return the problem with its file path as the user typed it, without the prefix `here`.

    A reference to the key `schedules` is removed, because the file came from an argument.
    """
    path = () if problem.path == ("schedules",) else problem.path
    place = problem.place.removeprefix(here)
    return Problem(problem.text, path, place, problem.warning)
