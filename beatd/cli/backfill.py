"""Run an entry for past moments (`beatd backfill`)."""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.escapes import echo, visible
from beatd.cli.leader_note import note_if_nobody_leads
from beatd.views.time_text import moment_text, read_moment

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.entry import Entry
    from beatd.run import Skip

RUNS_WITHOUT_QUESTION_MAX = 1000
MOMENTS_SHOWN_MAX = 10


@click.command()
@click.argument("name", shell_complete=names_of_entries)
@click.option("--from", "since", metavar="MOMENT", help="The first moment, included.")
@click.option("--to", metavar="MOMENT", help="The last moment, included.")
@click.option("--dry-run", is_flag=True, help="Show the moments; run nothing.")
@click.option(
    "-y", "--yes", is_flag=True, help=f"Run also more than {RUNS_WITHOUT_QUESTION_MAX:,} moments."
)
@click.option("--cancel", is_flag=True, help="Drop what is left of the entry's backfills.")
@as_json
@takes_store
def command(
    chosen: ChosenStore,
    name: str,
    since: str | None,
    to: str | None,
    dry_run: bool,
    yes: bool,
    cancel: bool,
    json: bool,
) -> None:
    """Run an entry for past moments.

    Runs it for every moment of its schedule from --from to --to, oldest first. Each run is a new
    task; its header beatd_planned_at has the moment. The next planned run stays as it is.
    MOMENT is ISO 8601, like 2027-01-01T09:00, or a time of day, like 02:30: the newest one. Without
    an offset it is in the entry's zone.
    """
    if cancel:
        if since or to or dry_run:
            raise click.UsageError("--cancel goes without --from, --to and --dry-run")
        _call_off(chosen, name, json=json)
        return
    if since is None or to is None:
        raise click.UsageError("give --from and --to, or --cancel")
    from beatd.cli.output import print_json
    from beatd.edits.editing import row_of
    from beatd.edits.run_requests import backfill
    from beatd.errors import ConfigError
    from beatd.schedules.moment import format_moment

    with chosen.open() as opened:
        entry = row_of(opened.store.catalog, name).entry
        tz = entry.tz
        start, end = (
            read_moment(option, text, tz, opened.now)
            for option, text in (("--from", since), ("--to", to))
        )
        if start > end:
            raise ConfigError(f"--from {since} is after --to {to}; exchange the two")
        requested = backfill(opened.store.requests, name, start, end, opened.now, only_count=True)
        if not dry_run:
            if requested.count > RUNS_WITHOUT_QUESTION_MAX and not yes:
                _confirm(name, requested)
            backfill(opened.store.requests, name, start, end, opened.now)
            note_if_nobody_leads(opened)
    first, last, count = requested.planned, requested.until, requested.count
    if json:
        found = {
            "entry": name,
            "first": format_moment(first),
            "last": format_moment(last),
            "count": count,
        }
        found |= {"at_least": True} if requested.at_least else {}
        found |= {"moments": [format_moment(one) for one in _some(entry, requested)]}
        print_json({**found, "asked": not dry_run})
        return
    verb = "would request" if dry_run else "requested"
    span = f"{moment_text(first, tz)} to {moment_text(last, tz)}"
    echo(f"{verb} {_runs([requested])} of {name}, {span}")
    for line in _moment_lines(entry, requested) if dry_run else ():
        echo(f"  {line}")


def _some(entry: "Entry", requested: "Skip") -> "list[datetime]":
    """Return the moments of a backfill, oldest first; of more than MOMENTS_SHOWN_MAX the first ones
    and the last."""
    from beatd.run import MICROSECOND
    from beatd.views.next_runs import runs_after

    moments = islice(runs_after(entry, requested.planned - MICROSECOND), MOMENTS_SHOWN_MAX)
    first = [one for one in moments if one <= requested.until]
    return first if first[-1] == requested.until else [*first[:-1], requested.until]


def _moment_lines(entry: "Entry", requested: "Skip") -> Iterator[str]:
    """Yield the moments of a backfill in the entry's zone, and how many are left out."""
    moments = _some(entry, requested)
    left_out = requested.count - len(moments)
    for at, moment in enumerate(moments):
        if at == len(moments) - 1 and left_out:
            yield f"… {'at least ' if requested.at_least else ''}{left_out} more …"
        yield moment_text(moment, entry.tz)


def _confirm(name: str, requested: "Skip") -> None:
    """Ask the user to confirm a large number of runs.

    Raises click.Abort if the user declines, and click.UsageError if there is no terminal.
    """
    question = f"that is {_runs([requested])} of {name}"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(f"{question}; add --yes if you mean it")
    click.confirm(f"{visible(question)}; request them all?", abort=True, err=True)


def _call_off(chosen: ChosenStore, name: str, *, json: bool) -> None:
    from beatd.cli.output import print_json
    from beatd.edits.run_requests import cancel_backfills

    with chosen.open() as opened:
        left = cancel_backfills(opened.store.requests, name)
    if json:
        print_json({"entry": name, "called_off": sum(one.count for one in left)})
    else:
        echo(f"{_runs(left)} of {name} called off")


def _runs(stretches: "Sequence[Skip]") -> str:
    """Return the total number of runs as text, such as "3 runs" or "more than 1000 runs"."""
    count = sum(one.count for one in stretches)
    runs = "1 run" if count == 1 else f"{count} runs"
    return f"more than {runs}" if any(one.at_least for one in stretches) else runs
