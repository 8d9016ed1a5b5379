"""Show the next runs of a schedule or of entries (`beatd next`)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from beatd.catalog import Stored
from beatd.cli.config_option import ConfigOption, as_json
from beatd.cli.entry_warnings import croniter_difference
from beatd.cli.escapes import visible
from beatd.cli.failure import print_message
from beatd.cli.named_entries import entries_named, stopped_text
from beatd.cli.option_words import as_option
from beatd.cli.output import print_json, print_rich, print_table
from beatd.cli.schedule_options import FORMS, read_schedule, takes_schedule
from beatd.cli.url_option import remote_daemon, takes_url
from beatd.clock import SystemClock
from beatd.definition.check import check
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem, in_one_line
from beatd.schedules import clock_change, describe, zone
from beatd.views.next_runs import next_runs, run_json
from beatd.views.time_text import distance_text, read_moment

COUNT_MAX = 100_000
NO_TASK = "-"  # the task of an entry that is made from an expression


@click.command(epilog=FORMS)
@takes_schedule
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--tz", metavar="ZONE", help="The zone. [default: the configuration's, else UTC]")
@click.option(
    "--from", "since", metavar="MOMENT", help="Show runs after this moment. [default: now]"
)
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, COUNT_MAX),
    default=5,
    show_default=True,
    metavar="N",
    help="How many runs.",
)
@click.option("--start", metavar="MOMENT", help="No run before it; also the anchor of --every.")
@click.option("--end", metavar="MOMENT", help="No run after it.")
@click.option(
    "--dst-gap", metavar="run|skip", help="What happens to a fixed time that the clock skips."
)
@click.option(
    "--dst-fold",
    metavar="first|last|both",
    help="Which runs there are of a fixed time that comes twice.",
)
@click.option("--name", metavar="NAME", default="", help="The name for H and --spread.")
@as_json
@takes_url
def command(
    *,
    given: ConfigOption,
    names: tuple[str, ...],
    since: str | None,
    count: int,
    json: bool,
    **options: Any,
) -> int | None:
    """Show the next runs of a schedule or of entries.

    \b
    beatd next --cron "30 2 * * *" --tz Europe/Berlin
    beatd next --every 90m --count 3
    beatd next -c config.yaml nightly-report
    """
    schedule = read_schedule(options, names)
    if schedule.plain:
        if schedule.rest:
            raise click.UsageError("give either an expression or names of entries")
        plain = {**schedule.plain, **_settings(options)}
        entries = [_entry_of_expression(given, plain, options["name"], quiet=json)]
        rows: Mapping[str, Stored] = {}
    elif schedule.rest:
        entries, rows = entries_named(given, schedule.rest, options["tz"])
    else:
        raise click.UsageError("give --cron, --every or another schedule, or names of entries")
    now = SystemClock().now()
    answers = [
        (
            entry,
            *next_runs(
                entry, read_moment("--from", since, entry.tz) if since is not None else now, count
            ),
        )
        for entry in entries
    ]
    if json:
        print_json([row for entry, runs, _ in answers for row in _plain(entry, runs, len(answers))])
        return None
    for at, (entry, runs, over) in enumerate(answers):
        if at:
            click.echo()
        _show(entry, runs, over, now, stopped_text(entry, rows.get(entry.name), now))
    return None


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    keys = ("tz", "start", "end", "dst_gap", "dst_fold")
    return {key: options[key] for key in keys if options[key] is not None}


def _entry_of_expression(
    given: ConfigOption, plain: dict[str, Any], name: str, *, quiet: bool
) -> Entry:
    timezone = "UTC"
    if "tz" not in plain and given.url is not None:
        timezone = remote_daemon(given.url).timezone
    elif "tz" not in plain and (given.config or given.app):
        timezone = given.load().timezone
    checked = check(name or "next", {"task": NO_TASK, **plain}, timezone=timezone)
    if checked.entry is None:
        wrong = [_as_options(problem) for problem in checked.problems if not problem.warning]
        raise ConfigError(in_one_line(wrong), wrong)
    for problem in () if quiet else checked.problems:
        print_message(f"{_as_options(problem)}", colour="yellow")
    return checked.entry


def _as_options(problem: Problem) -> Problem:
    """Return the problem in terms of options, without its place below the option."""
    found = as_option(problem)
    return Problem(found.text, found.path[:1])


def _plain(entry: Entry, runs: list[datetime], of: int) -> Iterator[dict[str, str]]:
    for moment in runs:
        row = run_json(moment, entry.tz)
        yield row if of == 1 else {"entry": entry.name, **row}


def _show(entry: Entry, runs: list[datetime], over: bool, now: datetime, stopped: str) -> None:
    from rich.text import Text

    named = entry.name if entry.task != NO_TASK else ""
    title = Text.assemble(
        (visible(named), "bold"), "  " if named else "", visible(describe(entry.schedule))
    )
    if entry.tz not in title.plain:
        title.append(f", {entry.tz}", "dim")
    if stopped:
        title.append(f"  {visible(stopped)}", "yellow")
    print_rich(title)
    marks = [clock_change(entry.schedule, moment) or "" for moment in runs]
    columns = ["local", "zone", "UTC", "in", *(["clock change"] if any(marks) else [])]
    if runs:
        print_table(columns, _rows(entry, runs, marks, now))
    for note in (*_notes(entry, runs, over), croniter_difference(entry, now)):
        if not note:
            continue
        print_rich(Text(visible(note), "yellow"))


def _rows(
    entry: Entry, runs: list[datetime], marks: list[str], now: datetime
) -> Iterator[list[str | tuple[str, str]]]:
    home = zone(entry.tz)
    spec = "microseconds" if any(moment.microsecond for moment in runs) else "seconds"
    for moment, mark in zip(runs, marks, strict=True):
        local = moment.astimezone(home)
        wall = local.replace(tzinfo=None).isoformat(" ", spec)
        name, offset = f"{local:%Z}", local.isoformat(" ", spec)[len(wall) :]
        yield [
            f"{local:%a} {wall}",
            # The name of a zone without letters is its offset, which is shown once.
            f"{name} {offset}" if name.isalpha() else offset,
            (moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", spec), "dim"),
            distance_text(moment - now),
            *([(mark, "yellow")] if any(marks) else []),
        ]


def _notes(entry: Entry, runs: list[datetime], over: bool) -> Iterator[str]:
    if over:
        yield "and never again" if runs else "never again"
    if entry.jitter:
        yield f"each up to {distance_text(entry.jitter).removeprefix('in ')} later (jitter)"
    if entry.max_runs is not None:
        yield f"finished after {entry.max_runs} runs in all"
