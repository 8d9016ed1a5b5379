"""Show the next runs of a schedule or of entries (`beatd next`)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

import click

from beatd.catalog import Stored
from beatd.cli.completion_names import names_of_entries, names_of_zones
from beatd.cli.config_option import ConfigOption, as_json
from beatd.cli.failure import print_message
from beatd.cli.named_entries import entries_named, stopped_text
from beatd.cli.next_lines import run_lines, title_line
from beatd.cli.next_of_all import print_runs, runs_of_all
from beatd.cli.option_words import as_option
from beatd.cli.output import stream_json
from beatd.cli.paged_table import print_lines
from beatd.cli.schedule_options import FORMS, dated, read_schedule, takes_schedule
from beatd.cli.url_option import remote_daemon, takes_url
from beatd.clock import SystemClock
from beatd.definition.check import check
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem, in_one_line
from beatd.views.next_runs import run_json, runs_after
from beatd.views.time_text import moment_text, read_moment

COUNT_MAX = 100_000
NO_TASK = "-"  # the task of an entry that is made from an expression


@click.command(epilog=FORMS)
@takes_schedule
@click.argument("names", nargs=-1, metavar="[NAME…]", shell_complete=names_of_entries)
@click.option(
    "--tz",
    metavar="ZONE",
    help="The zone. [default: the configuration's, else UTC]",
    shell_complete=names_of_zones,
)
@click.option(
    "--from",
    "since",
    metavar="MOMENT",
    help="Show runs after this moment; 02:30 is the next one. [default: now]",
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

    Without a name, show the next runs of all entries together, the soonest first, in the zone of
    the configuration. Paused and disabled entries are left out.

    \b
    beatd next --cron "30 2 * * *" --tz Europe/Berlin
    beatd next --every 90m --count 3
    beatd next -c config.yaml nightly-report
    beatd next -c config.yaml -n 20
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
        _print_runs_of_all(given, since, count, options, json=json)
        return None
    now = SystemClock().now()
    also = (_timezone(given),) if since is not None and schedule.rest else ()
    afters = [
        now
        if since is None
        else read_moment("--from", since, entry.tz, now, coming=True, also=also)
        for entry in entries
    ]
    asked = list(zip(entries, afters, strict=True))
    if json:
        stream_json(_plain(asked, count))
        return None
    parts: list[Iterable[str]] = []
    for at, (entry, after) in enumerate(asked):
        stopped = stopped_text(entry, rows.get(entry.name), now)
        title = title_line(entry, "" if entry.task == NO_TASK else entry.name, stopped)
        if any(tz != entry.tz for tz in also):  # tables of other commands have that zone
            title = f"{title}after {moment_text(after, entry.tz)}, in {entry.tz}\n"
        parts += [["\n"] if at else [], [title], run_lines(entry, after, count, now)]
    print_lines(chain.from_iterable(parts))
    return None


def _print_runs_of_all(
    given: ConfigOption, since: str | None, count: int, options: dict[str, Any], *, json: bool
) -> None:
    of_schedule = {key for key in _settings(options) if key != "tz"} or options["name"]
    if of_schedule or not (given.url or given.config or given.app):
        raise click.UsageError(
            "give --cron, --every or another schedule, or names of entries"
            + ("" if of_schedule else "; or -c FILE alone, for the next runs of all its entries")
        )
    asked = options["tz"]
    tz = asked or _timezone(given)
    now = SystemClock().now()
    after = now if since is None else read_moment("--from", since, tz, now, coming=True)
    runs = runs_of_all(given, after, count)
    if json:
        stream_json({"entry": one.name, **run_json(one.planned, asked or one.tz)} for one in runs)
    else:
        print_runs(runs, tz, now)


def _timezone(given: ConfigOption) -> str:
    """Return the zone of the configuration, or of the daemon at --url."""
    return given.load().timezone if given.url is None else remote_daemon(given.url).timezone


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
    plain = dated(plain, plain.get("tz", timezone), SystemClock().now())
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


def _plain(asked: Sequence[tuple[Entry, datetime]], count: int) -> Iterator[dict[str, str]]:
    for entry, after in asked:
        for moment in islice(runs_after(entry, after), count):
            row = run_json(moment, entry.tz)
            yield row if len(asked) == 1 else {"entry": entry.name, **row}
