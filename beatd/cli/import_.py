"""Import entries from another scheduler (`beatd import`)."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from beatd.canvas import what_runs
from beatd.cli.author import author_with
from beatd.cli.completion_names import names_of_zones
from beatd.cli.config_option import ConfigOption, as_json, takes_config
from beatd.cli.escapes import echo
from beatd.cli.failure import EXIT_FAILED
from beatd.errors import BeatError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from beatd.edits.write_imported import ImportOptions
    from beatd.imports import Imported, ImportedEntry
RECENT_RUN_S = 300  # schedulers with tables write a last run within three minutes
STOP_FIRST = (
    "Stop it before the import, or it runs entries that beatd runs too; or give --since: the "
    "moment at which it is stopped, and from which beatd runs them"
)
SOURCES = """\b
SOURCE is one of
  celerybeat-schedule:PATH          the file of celery's own beat
  redbeat+redis://HOST/DB           RedBeat; also redis-sentinel:// and redis-cluster://
  django-celery-beat+URL            a copy of django-celery-beat's tables
  sqlalchemy-celery-beat+URL        sqlalchemy-celery-beat's tables
  celery-sqlalchemy-scheduler+URL   celery-sqlalchemy-scheduler's tables
  crontab:PATH                      a system crontab file
  app:MODULE                        the beat_schedule of a Celery app"""


@click.command(epilog=SOURCES)
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Show what each entry becomes; change nothing.")
@click.option(
    "--tz",
    metavar="ZONE",
    help="The zone of times without one. [default: the configuration's]",
    shell_complete=names_of_zones,
)
@click.option(
    "--since",
    metavar="MOMENT|now",
    help="The moment (ISO 8601) from which entries count. [default: now]",
)
@click.option("--replace", "replacing", is_flag=True, help="Replace entries of the same name.")
@click.option(
    "--prefix", metavar="TEXT", default="redbeat:", show_default=True, help="RedBeat's key prefix."
)
@click.option(
    "--schema", metavar="NAME", help="The database schema of the other scheduler's tables."
)
@click.option(
    "--task", "runner", metavar="NAME", help="The task that runs the commands of a crontab."
)
@click.option(
    "--user-column/--no-user-column",
    default=None,
    help="Lines of the crontab have a user or not. [default: by the path]",
)
@as_json
@takes_config
def command(
    given: ConfigOption,
    source: str,
    dry_run: bool,
    tz: str | None,
    since: str | None,
    replacing: bool,
    prefix: str,
    schema: str | None,
    runner: str | None,
    user_column: bool | None,
    json: bool,
) -> int:
    """Import entries from another scheduler.

    Stop the other scheduler first, then import, then start beatd. The import only reads the other
    scheduler. Every entry counts from now (or from --since), and an interval goes on from its last
    run. A second import reads the last runs again. An entry that cannot be imported is listed with
    the reason; the others are imported, and the command ends with 1.
    """
    from beatd.edits.write_imported import DONE, ImportOptions
    from beatd.imports import read, to_entries
    from beatd.imports.readers import SourceOptions

    config = None
    if given.config is not None or given.app is not None:
        config = given.load()
    elif not dry_run:
        raise click.UsageError("which store? give -c FILE, or --dry-run to look only")
    moment = None if since is None else _since(since, tz)
    zone = _zone(tz) or (config.timezone if config is not None else "UTC")
    opened = read(
        source,
        SourceOptions(
            timezone=zone,
            given_timezone=tz is not None,
            prefix=prefix,
            schema=schema,
            runner=runner,
            user_column=user_column,
        ),
    )
    made = to_entries(opened.read.found, timezone=opened.timezone, source=opened.kind)
    made = replace(made, refused=(*opened.read.refused, *made.refused))
    notes = [*opened.read.notes, *_recent_run_note(made)]
    if opened.read.running:
        if moment is None and not dry_run:
            raise BeatError(f"{opened.read.running}. {STOP_FIRST}")
        notes.insert(0, f"{opened.read.running}. {STOP_FIRST}")
    how = ImportOptions(since=moment, replacing=replacing, dry_run=dry_run)
    outcome = _outcome(made, given, how)
    _print(made, outcome, notes, how=how, json=json)
    whole = not made.refused and all(one in DONE for one in outcome.values())
    return 0 if whole else EXIT_FAILED


def _zone(tz: str | None) -> str | None:
    from beatd.schedules.zone import zone_name

    try:
        return None if tz is None else zone_name(tz)
    except ConfigError as error:
        raise ConfigError(f"--tz: {error}") from None


def _since(text: str, tz: str | None) -> "datetime":
    from datetime import UTC, datetime

    from beatd.schedules.day_time import with_date
    from beatd.schedules.moment import parse_moment

    now = datetime.now(UTC)
    if text == "now":
        return now
    try:
        return parse_moment(with_date(text, tz or "UTC", now, coming=False), tz or "UTC")
    except ConfigError as error:
        raise ConfigError(f"--since: {error}") from None


def _recent_run_note(made: "Imported") -> "Iterator[str]":
    """Yield a note if the newest run is so recent that the other scheduler may still run."""
    from beatd.clock import SystemClock

    newest = max((one.last for one in made.entries if one.last), default=None)
    age = None if newest is None else (SystemClock().now() - newest).total_seconds()
    if age is not None and 0 <= age < RECENT_RUN_S:
        yield (
            f"the newest of its runs is {age:.0f} s old. If it runs still, stop it and import "
            "again: the last runs are read again, and what it ran is not run twice"
        )


def _outcome(made: "Imported", given: ConfigOption, how: "ImportOptions") -> dict[str, str]:
    """Write the imported entries to the store, and return the result for each name.

    A dry run writes nothing. Without a configuration or app, each result is "new".
    """
    if given.config is None and given.app is None:
        return {one.entry.name: "new" for one in made.entries}
    from beatd.cli.progress import progress
    from beatd.clock import SystemClock
    from beatd.edits import editing
    from beatd.edits.write_imported import write_imported
    from beatd.wiring.configured_store import configured_store

    store = configured_store(given.load(), if_absent="empty" if how.dry_run else "create")
    try:
        with progress() as show:
            return write_imported(
                store,
                made.entries,
                partial(editing.present, store, SystemClock()),
                how,
                author_with(via="import"),
                progress=lambda done: show("entries", done, len(made.entries)),
            )
    finally:
        store.close()


def _print(
    made: "Imported",
    outcome: dict[str, str],
    notes: "Sequence[str]",
    *,
    how: "ImportOptions",
    json: bool,
) -> None:
    from beatd.cli.output import print_json
    from beatd.edits.write_imported import DONE, NEW, READ_AGAIN, REPLACED, UNCHANGED

    written = sum(one in (NEW, REPLACED) for one in outcome.values())
    if json:
        print_json(
            {
                "dry_run": how.dry_run,
                "entries": [_plain(one, outcome[one.entry.name], how) for one in made.entries],
                "refused": [{"name": no.name, "reason": no.reason} for no in made.refused],
                "notes": list(notes),
            }
        )
    else:
        if how.dry_run:
            _print_entries(made, outcome, how)
        else:
            for one in made.entries:
                reason = outcome[one.entry.name]
                if reason not in DONE:
                    echo(f"{one.entry.name}: {reason}", err=True)
        for note in notes:
            echo(f"note: {note}", err=True)
        for no in made.refused:
            echo(f"not imported: {no.name}: {no.reason}", err=True)
        verb = "would be imported" if how.dry_run else "imported"
        again = sum(one == READ_AGAIN for one in outcome.values())
        unchanged = sum(one == UNCHANGED for one in outcome.values())
        alone = len(outcome) - written - again - unchanged
        counts = [f"{written} {verb}"]
        counts += [f"{again} with last runs read again"] if again else []
        counts += [f"{unchanged} unchanged"] if unchanged else []
        counts += [f"{alone} left alone"] if alone else []
        counts += [f"{len(made.refused)} not"] if made.refused else []
        echo(", ".join(counts))
    if made.refused and not outcome:
        raise BeatError("nothing could be imported")


def _plain(one: "ImportedEntry", outcome: str, how: "ImportOptions") -> dict[str, Any]:
    from beatd.definition import json_plain_of

    return {
        "name": one.entry.name,
        "entry": json_plain_of(one.entry),
        "last": one.last,
        "runs": one.runs,
        "next": _next(one, how),
        "outcome": outcome,
        "notes": list(one.notes),
    }


def _next(one: "ImportedEntry", how: "ImportOptions") -> Any:
    """Return when the imported entry runs next, or None if it never runs again."""
    from beatd import planning
    from beatd.clock import SystemClock

    since = how.since or SystemClock().now()
    plan = planning.first(one.entry, since, runs=one.runs, last=one.last)
    return None if plan.due is None else plan.planned


def _print_entries(made: "Imported", outcome: dict[str, str], how: "ImportOptions") -> None:
    from beatd.cli.paged_table import print_pages
    from beatd.schedules import describe

    def cells(one: "ImportedEntry") -> list[str]:
        entry, moment = one.entry, _next(one, how)
        done = outcome[entry.name]
        return [
            entry.name,
            what_runs(entry),
            describe(entry.schedule, entry.tz),
            entry.tz,
            "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}Z",
            "-" if one.last is None else f"{one.last:%Y-%m-%d %H:%M:%S}Z",
            "; ".join([*([done] if done != "new" else []), *one.notes]),
        ]

    print_pages(
        ("name", "task", "schedule", "tz", "next", "last run", "differs"),
        map(cells, made.entries),
        nothing="no entry can be imported",
        least={"differs": 24, "name": 16, "schedule": 24, "task": 16},
        left_out=("last run", "tz", "task"),
    )
