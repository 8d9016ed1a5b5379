"""beatd import SOURCE"""

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from beatd.cli.failure import COULD_NOT
from beatd.cli.given import Given, as_json, takes_config
from beatd.errors import BeatError, ConfigError

if TYPE_CHECKING:
    from beatd.imports import Taken, TakenOver
    from beatd.store import Store

DONE = ("new", "replaced", "unchanged")
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
@click.option("--tz", metavar="ZONE", help="The zone of its wall-clock times, where it names none.")
@click.option("--replace", "replacing", is_flag=True, help="Replace entries of the same name.")
@click.option("--prefix", default="redbeat:", show_default=True, help="RedBeat's key prefix.")
@click.option("--schema", help="The schema of its tables.")
@click.option("--task", "runner", metavar="TASK", help="The task that runs a crontab's commands.")
@click.option(
    "--user-column/--no-user-column",
    default=None,
    help="Whether crontab lines name a user. [default: from the path]",
)
@as_json
@takes_config
def command(
    given: Given,
    source: str,
    dry_run: bool,
    tz: str | None,
    replacing: bool,
    prefix: str,
    schema: str | None,
    runner: str | None,
    user_column: bool | None,
    json: bool,
) -> int:
    """Take over entries from another scheduler, which is only read.

    Nothing runs because of it: every entry counts from now, and an interval goes on from its last
    run. What could not be taken over is listed with the reason, and the rest is; it ends 1 then.
    """
    from beatd.imports import read, taken_over
    from beatd.imports.sources import Wishes

    config = None
    if given.config is not None or given.app is not None:
        config = given.load()
    elif not dry_run:
        raise click.UsageError("which store? give -c FILE, or --dry-run to look only")
    zone = _zone(tz) or (config.timezone if config is not None else "UTC")
    opened = read(
        source,
        Wishes(
            timezone=zone,
            given_timezone=tz is not None,
            prefix=prefix,
            schema=schema,
            runner=runner,
            user_column=user_column,
        ),
    )
    made = taken_over(opened.read.found, timezone=opened.timezone, source=opened.kind)
    made = replace(made, refused=(*opened.read.refused, *made.refused))
    outcome = _outcome(made, given, dry_run=dry_run, replacing=replacing)
    _tell(made, outcome, opened.read.notes, dry_run=dry_run, json=json)
    whole = not made.refused and all(said in DONE for said in outcome.values())
    return 0 if whole else COULD_NOT


def _zone(tz: str | None) -> str | None:
    from beatd.schedules.zone import zone_name

    try:
        return None if tz is None else zone_name(tz)
    except ConfigError as error:
        raise ConfigError(f"--tz: {error}") from None


def _outcome(made: "TakenOver", given: Given, *, dry_run: bool, replacing: bool) -> dict[str, str]:
    """What became, or would become, of each entry by name."""
    if given.config is None and given.app is None:
        return {one.entry.name: "new" for one in made.entries}
    from beatd.building import store_of

    store = store_of(given.load())
    try:
        return put_in(store, made, dry_run=dry_run, replacing=replacing)
    finally:
        store.close()


def put_in(store: "Store", made: "TakenOver", *, dry_run: bool, replacing: bool) -> dict[str, str]:
    """Each entry written on its own terms; a name that is there already is left alone, or replaced
    where that was asked for and nothing declares it."""
    from beatd import editing
    from beatd.clock import SystemClock

    now = editing.present(store, SystemClock())
    outcome: dict[str, str] = {}
    for batch in editing.in_batches(made.entries):
        there = editing.rows(store, [one.entry.name for one in batch])
        changes = []
        for one in batch:
            row = there.get(one.entry.name)
            said, change = _change(one, row, now, replacing=replacing)
            outcome[one.entry.name] = said
            if change is not None:
                changes.append(change)
        if changes and not dry_run:
            for change, done in zip(changes, store.write(changes), strict=True):
                if not done:
                    outcome[change.name] = "changed by others meanwhile; import it again"
    return outcome


def _change(one: "Taken", row: Any, now: Any, *, replacing: bool) -> tuple[str, Any]:
    from beatd import editing
    from beatd.arguments import same

    if row is None:
        change = editing.new(one.entry, now)
        return "new", replace(change, runs=one.runs, last=one.last)
    if same(one.entry, row.entry):
        return "unchanged", None
    if editing.is_declared(row.entry):
        return f"left alone: {editing.whose_it_is(row.entry)}", None
    if not replacing:
        return "left alone: the name is taken; --replace replaces it", None
    return "replaced", editing.rewritten(row, one.entry, now)


def _tell(
    made: "TakenOver",
    outcome: dict[str, str],
    notes: tuple[str, ...],
    *,
    dry_run: bool,
    json: bool,
) -> None:
    from beatd.cli.output import print_json

    taken = sum(said in ("new", "replaced") for said in outcome.values())
    if json:
        print_json(
            {
                "dry_run": dry_run,
                "entries": [_plain(one, outcome[one.entry.name]) for one in made.entries],
                "refused": [{"name": no.name, "reason": no.reason} for no in made.refused],
                "notes": list(notes),
            }
        )
    else:
        if dry_run:
            _print_entries(made, outcome)
        else:
            for one in made.entries:
                said = outcome[one.entry.name]
                if said not in DONE:
                    click.echo(f"{one.entry.name}: {said}", err=True)
        for note in notes:
            click.echo(f"note: {note}", err=True)
        for no in made.refused:
            click.echo(f"not taken over: {no.name}: {no.reason}", err=True)
        verb = "would be taken over" if dry_run else "taken over"
        unchanged = sum(said == "unchanged" for said in outcome.values())
        alone = len(outcome) - taken - unchanged
        counts = [f"{taken} {verb}"]
        counts += [f"{unchanged} unchanged"] if unchanged else []
        counts += [f"{alone} left alone"] if alone else []
        counts += [f"{len(made.refused)} not"] if made.refused else []
        click.echo(", ".join(counts))
    if made.refused and not outcome:
        raise BeatError("nothing could be taken over")


def _plain(one: "Taken", said: str) -> dict[str, Any]:
    from beatd.definition import json_plain_of

    return {
        "name": one.entry.name,
        "entry": json_plain_of(one.entry),
        "last": one.last,
        "runs": one.runs,
        "next": _next(one),
        "outcome": said,
        "notes": list(one.notes),
    }


def _next(one: "Taken") -> Any:
    from beatd import planning
    from beatd.clock import SystemClock

    return planning.first(one.entry, SystemClock().now(), runs=one.runs).planned


def _print_entries(made: "TakenOver", outcome: dict[str, str]) -> None:
    from rich.markup import escape

    from beatd.cli.output import print_table
    from beatd.schedules import describe

    rows = []
    for one in made.entries:
        entry, moment = one.entry, _next(one)
        said = [said] if (said := outcome[entry.name]) != "new" else []
        rows.append(
            [
                escape(entry.name),
                escape(entry.task),
                escape(describe(entry.schedule)),
                entry.tz,
                "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}Z",
                "-" if one.last is None else f"{one.last:%Y-%m-%d %H:%M:%S}Z",
                escape("; ".join([*said, *one.notes])),
            ]
        )
    columns = ("name", "task", "schedule", "tz", "next", "last run", "differs")
    print_table(columns, rows)
