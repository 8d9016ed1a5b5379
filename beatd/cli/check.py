"""Report every problem of a configuration (`beatd check`)."""

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.alert_check import channel_problems, unmonitored
from beatd.cli.config_option import ConfigOption, as_json, takes_config
from beatd.cli.entry_scope import entry_scope
from beatd.cli.entry_warnings import EVERYTHING_WORKS, chord_backend, warnings_of
from beatd.cli.escapes import echo, visible
from beatd.cli.failure import EXIT_FAILED
from beatd.cli.monitor_check import monitor_problems
from beatd.cli.output import print_json
from beatd.cli.overlap_warnings import overlap_facts
from beatd.clock import SystemClock
from beatd.config import Config, Examined, examine, load_entries, schemes
from beatd.config.entry_paths import find_files
from beatd.config.extras import missing_extras
from beatd.config.unjudged import unjudged
from beatd.config.values import Broker
from beatd.entry import Entry
from beatd.errors import BeatError, ConfigError, Problem, dotted, unicode_of
from beatd.wiring import backends

if TYPE_CHECKING:
    from celery import Celery

# The warnings about an entry's runs are computed; for a million entries that would take hours.
ENTRIES_LOOKED_AT_MAX = 10_000


@click.command()
@click.argument("files", nargs=-1, type=click.Path(), metavar="[ENTRYFILE…]")
@click.option(
    "--only-files",
    is_flag=True,
    help="Check ENTRYFILE alone: of a configuration, only zone and defaults count.",
)
@click.option("--connect", is_flag=True, help="Also connect to the broker, the store and the lock.")
@as_json
@takes_config
def command(
    *, given: ConfigOption, files: tuple[str, ...], only_files: bool, connect: bool, json: bool
) -> int:
    """Report every problem of a configuration or of entry files.

    Ends with 0 when the daemon could run on it and do what is written (there may be warnings), with
    1 when not.

    \b
    beatd check -c config.yaml
    beatd check schedules/*.yaml
    """
    report = CheckReport()
    if only_files:
        if connect or not files:
            raise click.UsageError("--only-files goes with ENTRYFILE…, and not with --connect")
        report.scope = entry_scope(given)
        if given.config is None and given.app is None:
            report.facts.append(
                "no configuration: the zone is UTC, without defaults; -c FILE names one"
            )
    elif given.config is not None or given.app is not None:
        report.add_configuration(given)
    elif not files:
        raise click.UsageError("what is to be checked? give -c FILE or entry files")
    if files:
        report.add_files(files)
    if connect and report.config is not None and not report.errors:
        from beatd.cli.connect_check import connection_problems

        for problem in connection_problems(report.config, report.facts):
            report.problems.append(problem)
    if url := chord_backend(report.entries, report.app):
        report.facts.append(f"chords: use the result backend {url}")
    report.print_json() if json else report.print_lines()
    return EXIT_FAILED if report.errors else 0


class CheckReport:
    """The report of `beatd check`: it collects problems and entries, and prints them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.config: Config | None = None
        self.scope = Config(broker=Broker())  # that entry files inherit from
        self.app: Celery | None = None
        self.entries: list[Entry] = []
        self.read: list[str] = []
        self.unread = 0  # of `read`: entry files in which a mistake hides all names
        self.facts: list[str] = []

    def add_configuration(self, given: ConfigOption) -> None:
        """Check the configuration or app of -c and -A, and add its problems and entries."""
        if given.config is None:
            found = _examine_app(given)
        else:
            found = examine(given.config, app=given.app)
            self.read.append(given.config)
        self.problems += found.problems
        self.config = found.config
        if found.config is None:
            return
        self.scope = found.config
        missing = list(missing_extras(found.config))
        self.problems += missing or _unusable_lock(found.config)
        self.problems += channel_problems(found.config)
        self.entries += found.config.entries
        places, folder = found.config.schedules, found.config.folder
        self._load(found.config, places, folder, missing_folder_warns=True)
        if found.config.app is not None:
            self._add_app(found.config)
        self.problems += unjudged(self.entries, found.config)
        self.problems += monitor_problems(self.entries, found.config)
        self.problems += unmonitored(self.entries, found.config)
        if found.config.outcomes.read_from == "results":
            from beatd.cli.connect_check import outcome_problems

            self.problems += outcome_problems(found.config, self.app)
        self.problems += _warnings(self.entries, found.config, self.app)

    def add_files(self, files: tuple[str, ...]) -> None:
        """Check entry files, folders or globs, and add their problems and entries.

        What the configuration has read already is left out.
        """
        before = len(self.entries)
        read = {os.path.realpath(path) for path in self.read}
        self._load(self.scope, tuple(one for one in files if not _is_read(one, read)), ".")
        self.problems += _warnings(self.entries[before:], self.config, self.app)

    def _add_app(self, config: Config) -> None:
        from beatd.cli.connect_check import declared_by_app
        from beatd.wiring.build import celery_app

        try:
            self.app = celery_app(config)
        except BeatError as error:
            self.problems.append(Problem(str(error), (), config.shown))
            return
        problems, entries = declared_by_app(self.app, config, self.entries)
        self.problems += problems
        self.entries += entries

    def _load(
        self,
        config: Config,
        places: tuple[str, ...],
        folder: str,
        *,
        missing_folder_warns: bool = False,
    ) -> None:
        loaded = load_entries(
            places,
            folder=folder,
            timezone=config.timezone,
            defaults=config.defaults,
            source=config.source,
            declared_places={entry.name: entry.declared_at for entry in self.entries},
            shown=config.shown,
            missing_folder_warns=missing_folder_warns,
        )
        self.problems += loaded.problems
        self.entries += loaded.entries
        self.read += [str(file.path) for file in loaded.files]
        self.unread += sum(not file.valid and not file.names for file in loaded.files)

    @property
    def errors(self) -> int:
        """The number of problems that are not warnings."""
        return sum(not problem.warning for problem in self.problems)

    def print_json(self) -> None:
        print_json(
            {
                "ok": not self.errors,
                "problems": [_plain(problem) for problem in self.problems],
                "files": [unicode_of(path) for path in self.read],
                "entries": len(self.entries),
                "facts": self.facts,
            }
        )

    def print_lines(self) -> None:
        """Print a line for each problem and each fact, then a summary line."""
        for problem in self.problems:
            level = ("warning", "yellow") if problem.warning else ("error", "red")
            place, path = visible(problem.place), visible(dotted(problem.path))
            parts = [
                click.style(place, bold=True) if place else "",
                click.style(level[0], fg=level[1]),
                click.style(path, fg="cyan") if path else "",
                visible(problem.text),
            ]
            click.echo(": ".join(part for part in parts if part))
        for fact in self.facts:
            echo(fact)
        warnings = len(self.problems) - self.errors
        counts = [_count(self.errors, "error")] if self.errors else []
        counts += [_count(warnings, "warning")] if warnings else []
        by_app = sum(entry.source.startswith("app:") for entry in self.entries)
        in_files = _count(len(self.entries) - by_app, "entry", "entries")
        checked = f"{in_files} in {self._files()}"
        if by_app:
            checked += f", {by_app} in the app"
        verdict = ", ".join(counts) or "nothing wrong"
        colour = "red" if self.errors else "yellow" if warnings else "green"
        click.echo(f"{click.style(verdict, fg=colour)}: {checked}")

    def _files(self) -> str:
        """Return how many files were read, such as "2 files", or "1 of 2 files"."""
        files = _count(len(self.read), "file")
        return f"{len(self.read) - self.unread} of {files}" if self.unread else files


def _examine_app(given: ConfigOption) -> Examined:
    """Return the configuration read from the Celery app's settings, or the error in them."""
    try:
        return Examined(given.load(), ())
    except ConfigError as error:
        return Examined(None, (Problem(str(error), (), given.app or ""),))


def _unusable_lock(config: Config) -> Iterator[Problem]:
    """Yield a problem if the lock's URL is invalid; connects to no server."""
    try:
        backends.open_lease(schemes.lock_url(config.store.url, config.lock.url)).close()
    except ConfigError as error:
        path = ("lock" if config.lock.url else "store", "url")
        yield Problem(str(error).removeprefix("lock.url: "), path, config.shown)


def _is_read(place: str, read: Collection[str]) -> bool:
    """Return True if all files of `place`, a file, folder or glob, are among the paths `read`."""
    found = [os.path.realpath(path) for path in find_files([place], ".")[0]]
    return bool(found) and all(path in read for path in found)


def _plain(problem: Problem) -> dict[str, Any]:
    file, _, line = problem.place.rpartition(":")
    numbered = line.isdigit()
    return {
        "level": "warning" if problem.warning else "error",
        "file": file if numbered else problem.place,
        "line": int(line) if numbered else None,
        "path": dotted(problem.path),
        "text": problem.text,
    }


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _warnings(
    entries: list[Entry], config: Config | None, app: "Celery | None"
) -> Iterator[Problem]:
    """Yield the warnings about the first ENTRIES_LOOKED_AT_MAX entries."""
    now = SystemClock().now()
    looked_at = entries[:ENTRIES_LOOKED_AT_MAX]
    facts = EVERYTHING_WORKS if config is None else overlap_facts(looked_at, config, app)
    for entry in looked_at:
        above = "beat_schedule" if entry.source.startswith("app:") else "entries"
        for problem in warnings_of(entry, app, now, facts):
            under = problem.under(above, entry.name)
            yield Problem(under.text, under.path, entry.declared_at, problem.warning)
