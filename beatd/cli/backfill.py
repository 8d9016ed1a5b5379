"""beatd backfill"""

from datetime import datetime

import click

from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store


@click.command()
@click.argument("name")
@click.option("--from", "since", metavar="ISO", required=True, help="The first moment, included.")
@click.option("--to", metavar="ISO", required=True, help="The last moment, included.")
@click.option("--dry-run", is_flag=True, help="Only say how many moments that is.")
@as_json
@takes_store
def command(asked: Asked, name: str, since: str, to: str, dry_run: bool, json: bool) -> None:
    """Run an entry for every moment it had between two, beside its plan.

    A moment without an offset is in the entry's zone. Runs are new tasks, oldest first; the
    header beatd_planned_at tells which moment each is for.
    """
    from beatd.asking import backfill
    from beatd.cli.output import print_json
    from beatd.definition.plain import iso
    from beatd.editing import row_of
    from beatd.errors import ConfigError
    from beatd.schedules import parse_moment

    with asked.open() as opened:
        tz = row_of(opened.store, name).entry.tz

        def moment(option: str, text: str) -> datetime:
            try:
                return parse_moment(text, tz)
            except ConfigError as error:
                raise ConfigError(f"{option}: {error}") from None

        start, end = moment("--from", since), moment("--to", to)
        if start > end:
            raise ConfigError(f"--from {since} is after --to {to}")
        asked_for = backfill(opened.store, name, start, end, opened.now, only_count=dry_run)
    first, last, count = asked_for.planned, asked_for.until, asked_for.count
    if json:
        found = {"entry": name, "first": iso(first), "last": iso(last), "count": count}
        found |= {"at_least": True} if asked_for.at_least else {}
        print_json({**found, "asked": not dry_run})
    else:
        runs = "1 run" if count == 1 else f"{count} runs"
        runs = f"more than {runs}" if asked_for.at_least else runs
        told = "would be asked for" if dry_run else "asked for"
        click.echo(f"{runs} of {name} {told}, {iso(first)} to {iso(last)}")
