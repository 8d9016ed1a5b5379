"""Run an entry for past moments (`beatd backfill`)."""

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.escapes import echo
from beatd.cli.leader_note import note_if_nobody_leads
from beatd.views.time_text import moment_text, read_moment

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.entry import Entry
    from beatd.run import Skip

RUNS_WITHOUT_YES_MAX = 1000  # where nobody can answer a question
RUNS_WITHOUT_QUESTION_MAX = 3  # on a terminal
MOMENTS_SHOWN_MAX = 10


@click.command()
@click.argument("name", shell_complete=names_of_entries)
@click.option("--from", "since", metavar="MOMENT", help="The first moment, included.")
@click.option("--to", metavar="MOMENT", help="The last moment, included.")
@click.option("--dry-run", is_flag=True, help="Show the moments; run nothing.")
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    help=f"Request them without a question, also more than {RUNS_WITHOUT_YES_MAX:,}.",
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
    MOMENT is ISO 8601, like 2027-01-01T09:00, or a time of day, like 02:30: the newest one; or a
    time of a table, like "2027-01-01 09:00:00 CET". Without an offset it is in the zone of the
    configuration. On a terminal, it asks before it requests more than 3 runs.
    """
    if cancel:
        if since or to or dry_run:
            raise click.UsageError("--cancel goes without --from, --to and --dry-run")
        _call_off(chosen, name, json=json)
        return
    if since is None or to is None:
        raise click.UsageError("give --from and --to, or --cancel")
    from functools import partial

    from beatd.changes import added_at
    from beatd.cli.failure import print_message
    from beatd.cli.output import print_json
    from beatd.edits.editing import row_of
    from beatd.edits.run_requests import backfill
    from beatd.errors import ConfigError
    from beatd.schedules.moment import format_moment

    with chosen.open() as opened:
        entry = row_of(opened.store.catalog, name).entry
        tz = opened.config.timezone
        asks = partial(
            backfill, opened.store.requests, name, moment_text=partial(moment_text, tz=tz)
        )
        start, end = (
            read_moment(option, text, tz, opened.now, also=(entry.tz,))
            for option, text in (("--from", since), ("--to", to))
        )
        if start > end:
            raise ConfigError(f"--from {since} is after --to {to}; exchange the two")
        requested = asks(start, end, opened.now, only_count=True)
        span = _span(entry, requested, tz)
        early = (
            "" if json else early_text(entry, requested, added_at(opened.store.changes, name), tz)
        )
        if not dry_run:
            runs = f"{_runs([requested])} of {name}, {span}"
            if not yes and _confirm(runs, requested, early, json=json):
                early = ""  # it was shown
            asks(start, end, opened.now)
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
    echo(f"{verb} {_runs([requested])} of {name}, {span}")
    for line in _moment_lines(entry, requested, tz) if dry_run else ():
        echo(f"  {line}")
    if early:
        print_message(f"note: {early}", "yellow")


def _some(entry: "Entry", requested: "Skip") -> "list[datetime]":
    """Return the moments of a backfill, oldest first; of more than MOMENTS_SHOWN_MAX the first ones
    and the last."""
    from beatd.run import MICROSECOND
    from beatd.views.next_runs import runs_after

    moments = islice(runs_after(entry, requested.planned - MICROSECOND), MOMENTS_SHOWN_MAX)
    first = [one for one in moments if one <= requested.until]
    return first if first[-1] == requested.until else [*first[:-1], requested.until]


def _span(entry: "Entry", requested: "Skip", tz: str) -> str:
    """Return the first and the last moment of a backfill in the zone `tz`, and in the entry's zone
    if that is another."""
    moments = (requested.planned, requested.until)
    span, of_entry = (
        " to ".join(moment_text(one, in_) for one in moments) for in_ in (tz, entry.tz)
    )
    return span if entry.tz == tz else f"{span} ({of_entry} in {entry.tz})"


def early_text(entry: "Entry", requested: "Skip", added: "datetime | None", tz: str) -> str:
    """Return a sentence about the moments before the entry was added, or "" if there are none."""
    from beatd.planning import stretch
    from beatd.run import MICROSECOND

    if added is None or requested.planned >= added:
        return ""
    if requested.until < added:
        which = "its moment is" if requested.count == 1 else "all of its moments are"
    else:
        early = stretch(entry, requested.planned, added - MICROSECOND, "")
        least = "at least " if early.at_least else ""
        which = f"{least}{early.count} of its moments {'is' if early.count == 1 else 'are'}"
    return f"{which} before the entry was added ({moment_text(added.replace(microsecond=0), tz)})"


def _moment_lines(entry: "Entry", requested: "Skip", tz: str) -> Iterator[str]:
    """Yield the moments of a backfill in the zone `tz`, and how many are left out."""
    moments = _some(entry, requested)
    left_out = requested.count - len(moments)
    for at, moment in enumerate(moments):
        if at == len(moments) - 1 and left_out:
            yield f"… {'at least ' if requested.at_least else ''}{left_out} more …"
        yield moment_text(moment, tz)


def _confirm(runs: str, requested: "Skip", early: str, *, json: bool) -> bool:
    """Ask the user on a terminal to confirm more runs than a few; return True if that was asked.

    `runs` says which they are, and `early` which of them are before the entry was added. Raises
    click.Abort if the user declines, and click.UsageError if they are very many and there is no
    terminal.
    """
    if not has_terminal():
        if requested.count > RUNS_WITHOUT_YES_MAX:
            raise click.UsageError(f"that is {runs}; add --yes if you mean it")
        return False
    if requested.count <= (RUNS_WITHOUT_YES_MAX if json else RUNS_WITHOUT_QUESTION_MAX):
        return False
    echo(f"that is {runs}", err=True)
    if early:
        echo(early, err=True)
    click.confirm("request them all?", abort=True, err=True)
    return True


def has_terminal() -> bool:
    """Return True if a person can read a question and answer it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


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
