"""beatd apply"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.failure import say
from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store

if TYPE_CHECKING:
    from beatd.applying import Comparison, Declared
    from beatd.config import Config
    from beatd.entry import Entry
    from beatd.problem import Problem


@click.command()
@click.argument("files", metavar="[FILE…]", nargs=-1)
@click.option("--prune", is_flag=True, help="Remove entries of the same owner not declared here.")
@click.option("--dry-run", is_flag=True, help="Print what would change; change nothing.")
@click.option("--name", metavar="NAME", help="The owner's name. [default: the configuration's]")
@as_json
@takes_store
def command(
    asked: Asked, files: tuple[str, ...], prune: bool, dry_run: bool, name: str | None, json: bool
) -> int | None:
    """Bring the store in line with entry files, folders and globs; prints the difference.

    Without FILE: with all that the configuration declares, as a leading daemon would. Entries of
    other owners are never touched; those with other definitions are told as conflicts (exit 1).
    """
    from beatd.applying import apply, compare

    config = asked.config()
    declared = _in_files(config, files, name) if files else _in_config(config, name)
    with asked.open(config) as opened:
        work = compare if dry_run else apply
        done = [
            work(
                opened.store,
                one,
                opened.now,
                prune=prune or not files,
                force=prune,
                anywhere=bool(files),
            )
            for one in declared
        ]
    if json:
        _print_json(done, dry_run)
    else:
        _print(done, dry_run, files=bool(files))
    conflicts = [held for one in done for held in one.conflicts if not held.same]
    for held in conflicts:
        say(str(held))
    for one in done:
        if one.newer is not None:
            say(f"{one.source}: a set read later was applied meanwhile; try again")
    return 1 if conflicts or any(one.newer is not None for one in done) else None


def _in_files(config: "Config", files: Iterable[str], name: str | None) -> "list[Declared]":
    from datetime import UTC, datetime

    from beatd.applying import Declared, digest_of
    from beatd.config import load_entries
    from beatd.errors import ConfigError
    from beatd.sources.files import placed

    source = f"yaml:{name}" if name else config.source
    here = Path.cwd()
    loaded = load_entries(
        files,
        folder=str(here),
        timezone=config.timezone,
        defaults=config.defaults,
        source=source,
    )
    problems = [_as_typed(problem, f"{here}/") for problem in loaded.problems]
    wrong = [problem for problem in problems if not problem.warning]
    if wrong:
        raise ConfigError(str(wrong[0]), wrong)
    for problem in problems:
        say(f"note: {problem}", "yellow")
    entries = tuple(_below(config.folder, here, placed(entry)) for entry in loaded.entries)
    return [
        Declared(
            source=source,
            entries=entries,
            loaded_at=datetime.now(UTC),
            digest=digest_of(entries),
        )
    ]


def _below(folder: str, here: Path, entry: "Entry") -> "Entry":
    """Declared at a place as the configuration names it, wherever the command was given."""
    from msgspec.structs import replace

    return replace(entry, declared_at=os.path.relpath(here / entry.declared_at, folder))


def _as_typed(problem: "Problem", here: str) -> "Problem":
    """Of a file given here, and not under `schedules:`."""
    from beatd.problem import Problem

    path = () if problem.path == ("schedules",) else problem.path
    place = problem.place.removeprefix(here)
    return Problem(problem.text, path, place, problem.warning)


def _in_config(config: "Config", name: str | None) -> "list[Declared]":
    from beatd.clock import SystemClock
    from beatd.errors import ConfigError
    from beatd.sources import Source
    from beatd.sources.files import Files

    if name is not None:
        raise click.UsageError("--name goes with FILE…; a configuration has its own `name:`")
    sources: list[Source] = [Files(config, SystemClock())]
    if config.app is not None:
        from beatd.building import celery_app, sources_of

        sources = sources_of(config, clock=SystemClock(), app=celery_app(config))
    readings = [source.read() for source in sources]
    problems = [problem for reading in readings for problem in reading.problems]
    wrong = [problem for problem in problems if not problem.warning]
    if wrong:
        raise ConfigError(str(wrong[0]), wrong)
    for problem in problems:
        say(f"note: {problem}", "yellow")
    return [reading.declared for reading in readings]


def _print(done: "list[Comparison]", dry_run: bool, *, files: bool) -> None:
    from beatd.cli.differences import print_difference
    from beatd.definition import plain_of

    for one in done:
        for step in one.steps:
            print_difference(
                step.change.name,
                None if step.before is None else plain_of(step.before.entry),
                None if step.change.entry is None else plain_of(step.change.entry),
            )
    counts = _counts(done)
    kept = f", {counts['kept']} kept (--prune removes them)" if counts["kept"] else ""
    words = ", ".join(f"{counts[key]} {key}" for key in ("added", "changed", "removed"))
    would = "would be " if dry_run else ""
    click.echo(f"{would}{words}, {counts['unchanged']} unchanged{kept}")


def _counts(done: "list[Comparison]") -> dict[str, int]:
    return {
        "added": sum(len(one.added) for one in done),
        "changed": sum(len(one.changed) for one in done),
        "removed": sum(len(one.removed) for one in done),
        "unchanged": sum(one.unchanged + sum(held.same for held in one.conflicts) for one in done),
        "kept": sum(len(one.kept) for one in done),
    }


def _print_json(done: "list[Comparison]", dry_run: bool) -> None:
    from beatd.cli.output import print_json

    found: dict[str, Any] = {
        key: [name for one in done for name in getattr(one, key)]
        for key in ("added", "changed", "removed", "kept")
    }
    found["unchanged"] = _counts(done)["unchanged"]
    found["conflicts"] = [
        {"name": held.name, "declared_at": held.declared_at, "held_by": held.holder}
        for one in done
        for held in one.conflicts
        if not held.same
    ]
    found["dry_run"] = dry_run
    print_json(found)
