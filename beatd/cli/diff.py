"""Show which runs change between two sets of entry files (`beatd diff`)."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from beatd.cli.completion_names import names_of_zones
from beatd.cli.config_option import ConfigOption, as_json, takes_config
from beatd.cli.failure import EXIT_FAILED

if TYPE_CHECKING:
    from beatd.config import Config

DAYS_MAX = 3660
RUNS_SHOWN = 3


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=7,
    show_default=True,
    metavar="N",
    help="Compare the runs of so many days.",
)
@click.option(
    "--from",
    "since",
    metavar="MOMENT",
    help="Begin at this moment; 02:30 is the next one. [default: now]",
)
@click.option(
    "--tz",
    metavar="ZONE",
    help="The zone of entries that name none. [default: the configuration's, else UTC]",
    shell_complete=names_of_zones,
)
@click.option(
    "-n",
    "--count",
    type=click.IntRange(min=0),
    default=RUNS_SHOWN,
    show_default=True,
    metavar="N",
    help="How many runs to show of each entry and kind of change.",
)
@click.option(
    "--exit-code", "fails", is_flag=True, help="End with 1 if there is a difference, else with 0."
)
@as_json
@takes_config
def command(
    *,
    given: ConfigOption,
    old: str,
    new: str,
    days: int,
    since: str | None,
    tz: str | None,
    count: int,
    fails: bool,
    json: bool,
) -> int | None:
    """Show which runs change between two sets of entry files.

    It also shows how the entries differ, the seconds with many new runs, and what clock changes do.
    OLD and NEW are each a file, folder or glob of entries, as `beatd apply` takes them, or
    REV:PATH, a file or folder in a revision of git, as `git show` takes it. A file may be a whole
    configuration: its entries and those of its `schedules` are compared. /dev/null stands for no
    entries. A wrong entry ends it with 2.

    \b
    beatd diff main:schedules schedules
    beatd diff main:config.yaml config.yaml
    beatd diff old.yaml new.yaml --days 30 --from 2027-03-20
    """
    from beatd.cli.entry_sets import entries_in
    from beatd.clock import SystemClock
    from beatd.views.set_changes import set_changes
    from beatd.views.time_text import read_moment

    scope = _scope(given, tz)
    start = (
        SystemClock().now().replace(microsecond=0)
        if since is None
        else read_moment("--from", since, scope.timezone, SystemClock().now(), coming=True)
    )
    before, after = entries_in(old, scope), entries_in(new, scope)
    try:
        end = start + timedelta(days=days)
    except OverflowError:
        raise click.UsageError(
            f"--from: {since!r} and --days {days} end after the year 9999; give fewer days"
        ) from None
    changes = set_changes(before, after, start, end)
    if json:
        from beatd.cli.diff_json import changes_json
        from beatd.cli.output import print_json

        print_json(changes_json(changes))
    else:
        from beatd.cli.diff_lines import print_changes

        print_changes(changes, scope.timezone, count)
    return EXIT_FAILED if fails and changes.entries else None


def _scope(given: ConfigOption, tz: str | None) -> "Config":
    """Return what entry files inherit, with the zone `tz` if it is given."""
    from msgspec.structs import replace

    from beatd.cli.entry_scope import entry_scope
    from beatd.errors import ConfigError
    from beatd.schedules.zone import zone_name

    scope = entry_scope(given)
    try:
        return scope if tz is None else replace(scope, timezone=zone_name(tz))
    except ConfigError as error:
        raise ConfigError(f"--tz: {error}") from None
