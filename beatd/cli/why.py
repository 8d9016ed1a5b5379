"""Explain why an entry ran or did not run at a moment (`beatd why`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.failure import EXIT_FAILED

if TYPE_CHECKING:
    from beatd.catalog import EntryFinder, Stored
    from beatd.config import Config
    from beatd.publishers.queue_state import QueueState
    from beatd.remote.remote_daemon import RemoteDaemon
    from beatd.why.answer import Answer

STYLES = {"well": "green", "on its way": "yellow", "wrong": "red"}


@click.command()
@click.argument("name", shell_complete=names_of_entries)
@click.option(
    "--at",
    metavar="MOMENT",
    help="The planned moment; 02:30 is the newest one. [default: the newest]",
)
@as_json
@takes_store
def command(chosen: ChosenStore, name: str, at: str | None, json: bool) -> int:
    """Explain why a moment of an entry ran or did not run.

    The first line has the cause; the lines below follow the run from the plan to the worker. MOMENT
    is ISO 8601, like 2027-01-01T09:00, or a time of day, like 02:30 or 02:30:05: the newest one, of
    today or yesterday; or a time of a table, like "2027-01-01 09:00:00 CET". Without an offset it
    is in the zone of the configuration, as are all times of the answer.
    Ends with 1 if there is no such entry.

    \b
    beatd why nightly-report
    beatd why nightly-report --at 02:30
    beatd why nightly-report --at 2027-01-10T02:30
    """
    from beatd.catalog import Query
    from beatd.presence import refusal_of
    from beatd.views.time_text import read_moment
    from beatd.why.chain import why
    from beatd.why.facts import facts_of

    if chosen.daemon is not None:
        from beatd.remote.remote_edits import why_over

        answer = why_over(chosen.daemon.api, name, _moment_over(chosen.daemon, name, at))
        _print(name, answer, json=json)
        return EXIT_FAILED if _has_no_entry(answer) else 0
    config, problems = _config_and_problems(chosen, name)
    with chosen.open(config) as opened:
        store = opened.store
        row = next(iter(store.catalog.find(Query(names=(name,)))), None)
        tz = opened.config.timezone
        facts = facts_of(
            store,
            name,
            now=opened.now,
            at=None if at is None else read_moment("--at", at, tz, opened.now, also=_zones(row)),
            tz=tz,
            refusal=refusal_of(store.presences) or "",
            problems=problems,
            queue_of=lambda row: _queue_of(opened.config, row),
        )
        answer = why(facts)
        if answer.cause == "unknown entry":
            answer = _with_hint(answer, name, opened.store.catalog, config)
        elif answer.cause == "unknown task" and row is not None:
            answer = _with_task_hint(answer, row, opened.config)
    _print(name, answer, json=json)
    return EXIT_FAILED if _has_no_entry(answer) else 0


def _zones(row: "Stored | None") -> tuple[str, ...]:
    return () if row is None else (row.entry.tz,)


def _moment_over(daemon: "RemoteDaemon", name: str, at: str | None) -> str | None:
    """Return the value of --at in UTC, read in the zone of the daemon's configuration."""
    from beatd.edits.editing import rows
    from beatd.schedules.moment import format_moment
    from beatd.views.time_text import read_moment

    if at is None:
        return None
    also = _zones(rows(daemon.roles().catalog, (name,)).get(name))
    return format_moment(read_moment("--at", at, daemon.timezone, daemon.now(), also=also))


def _has_no_entry(answer: "Answer") -> bool:
    return answer.cause == "unknown entry" or answer.line.startswith("there is no entry")


def _with_hint(answer: "Answer", name: str, catalog: "EntryFinder", config: "Config") -> "Answer":
    """Return the answer "unknown entry" with the place that declares it, or a similar name.

    Return the answer as it is if there is neither. If this program cannot read the entry, the
    answer says that.
    """
    from msgspec.structs import replace

    from beatd.cli.declared_entries import unknown_if_declared
    from beatd.edits.unknown_entry import nearest_name, unreadable, unreadable_error
    from beatd.errors import UnknownEntry

    if unreadable(catalog, [name]):
        return replace(answer, line=str(unreadable_error(name)))
    near = nearest_name(catalog, name)
    error = UnknownEntry(f"{answer.line}; did you mean {near!r}?" if near else answer.line, name)
    return replace(answer, line=str(unknown_if_declared(error, config)))


def _with_task_hint(answer: "Answer", row: "Stored", config: "Config") -> "Answer":
    """Return the answer "unknown task" with a similar task of the app, if the app lacks the task.

    If the app has the task, the answer says so: then the worker has other code than this host.
    """
    from msgspec.structs import replace

    from beatd.cli.entry_warnings import own_tasks
    from beatd.errors import BeatError, nearest
    from beatd.publishers.queue_state import destinations
    from beatd.wiring.build import celery_app

    if config.app is None:
        return answer
    try:
        app = celery_app(config)
        own = own_tasks(app)
        lacking = [task for task, _ in destinations(app, row.entry) if task not in app.tasks]
    except BeatError:  # this host may not have the project's code
        return answer
    if not own:
        return answer  # this app only sends
    text = f"the app {config.app} has it; does the worker import its module, and run the same code?"
    if lacking:
        text = f"the app {config.app} does not have it either{nearest(lacking[0], own)}"
    return replace(answer, line=f"{answer.line}; {text}")


def _config_and_problems(chosen: ChosenStore, name: str) -> "tuple[Config, list[str]]":
    """Return the valid configuration and its errors as lines, those about entry `name` first."""
    from beatd.clock import SystemClock
    from beatd.config import examine
    from beatd.errors import ConfigError
    from beatd.sources.files import Files

    try:
        config = chosen.config()
    except ConfigError as error:
        path = chosen.given.config
        if path is None or chosen.url is not None:
            raise
        examined = examine(path, app=chosen.given.app)
        if examined.config is None:
            raise
        config, lines = examined.config, [str(one) for one in error.problems]
    else:
        if not config.shown or not (config.entries or config.schedules):
            return config, []
        reading = Files(config, SystemClock()).read()
        lines = [str(problem) for problem in reading.problems if not problem.warning]
    return config, sorted(lines, key=lambda line: f".{name}" not in line)


def _queue_of(config: "Config", row: "Stored") -> "QueueState | None":
    """Return the state of the queue that the entry's messages go to, or None without a broker."""
    from beatd.errors import BeatError
    from beatd.publishers.queue_state import queue_state
    from beatd.wiring.build import celery_app

    if config.app is None and not config.broker.url:
        return None
    try:
        app = celery_app(config)
    except BeatError:
        return None
    return queue_state(app, row.entry, config.broker.timeout.total_seconds())


def _print(name: str, answer: "Answer", *, json: bool) -> None:
    from beatd.cli.escapes import visible
    from beatd.cli.output import print_json, print_rich
    from beatd.why.answer_json import why_json
    from beatd.why.outage_now import STORE_COPIED

    if json:
        print_json(why_json(name, answer))
        return
    from rich.table import Table
    from rich.text import Text

    style = STYLES[answer.tone]
    # The line of a store that was copied begins with that, whatever the cause.
    cause = "" if answer.line.startswith(STORE_COPIED) else f"{answer.cause}: "
    print_rich(Text.assemble((cause, f"bold {style}"), visible(answer.line)))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for what, text in answer.details:
        table.add_row(Text(what), Text(visible(text)))
    if answer.details:
        print_rich(table)
