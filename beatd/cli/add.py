"""Add an entry to the store (`beatd add`)."""

from typing import TYPE_CHECKING, Any

import click

from beatd.cli.author import author_with, takes_note
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json
from beatd.cli.entry_options import fields_of, one_name, takes_fields
from beatd.cli.escapes import echo
from beatd.cli.leader_note import note_if_nobody_leads
from beatd.cli.option_words import as_option
from beatd.cli.queue_note import unconsumed_queue
from beatd.cli.schedule_options import FORMS, KINDS, dated, read_schedule, takes_schedule

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.config import Config
    from beatd.entry import Entry
    from beatd.errors import Problem

NO_SCHEDULE = "has no schedule"  # how `definition` begins the text of this problem


@click.command(epilog=FORMS)
@click.argument("words", metavar="NAME", nargs=-1)
@takes_fields
@takes_schedule
@click.option(
    "--replace", is_flag=True, help="Replace the entry of this name; its number of runs stays."
)
@click.option("--force", is_flag=True, help="With --replace: also an entry that a file declares.")
@takes_note
@as_json
@takes_store
def command(
    chosen: ChosenStore,
    words: tuple[str, ...],
    replace: bool,
    force: bool,
    note: str,
    json: bool,
    **options: Any,
) -> None:
    """Add an entry.

    A running daemon notices it at once; with SQLite, MariaDB or a shelve file, within a second.

    \b
    beatd add tidy --task proj.tidy --every 5m
    beatd add report --task proj.report --cron "30 2 * * mon-fri" --tz Europe/Berlin
    beatd add nightly --chain "[proj.extract, proj.load]" --cron "30 2 * * *"
    """
    pairs = bool(options["crontab"] or options["solar"])  # further pairs are among the words
    schedule = read_schedule(options, words if pairs else ())
    name = one_name(schedule.rest if pairs else words)
    fields = fields_of(options)
    from beatd.cli.output import print_json
    from beatd.definition import check
    from beatd.edits.editing import add, put
    from beatd.edits.patch import patched
    from beatd.errors import ConfigError, in_one_line
    from beatd.planning import is_once
    from beatd.views.entry_rows import json_of, next_cell, zoned_schedule_text

    config = chosen.config()
    plain = dated(
        patched(schedule.plain, fields),
        fields.get("tz", config.timezone),
        chosen.given.started_at(),
    )
    checked = check(name, plain, timezone=config.timezone)
    if checked.entry is None:
        wrong = [_as_typed(problem) for problem in checked.problems if not problem.warning]
        raise ConfigError(in_one_line(wrong), wrong)
    known = config if chosen.daemon is None else None
    notes = [*checked.problems, *_warnings(checked.entry, known, chosen.given.started_at())]
    with chosen.open(config, if_absent="create") as opened:
        now = opened.started_at if is_once(checked.entry) else opened.present
        if replace:
            row = put(opened.store.catalog, checked.entry, now, author_with(note), force=force)
        else:
            row = add(opened.store.catalog, checked.entry, now, author_with(note))
        if json:
            print_json(json_of(row))
        else:
            state = next_cell(row, opened.now, config.timezone)
            coming = state if isinstance(state, str) else state[0]
            shown = zoned_schedule_text(row.entry, config.timezone)
            echo(f"{'replaced' if replace else 'added'} {name}: {shown}, {coming}")
        if row.plan.due is not None:
            note_if_nobody_leads(opened)
    from beatd.cli.failure import print_message

    notes += unconsumed_queue(checked.entry, fields, known)
    for problem in notes:
        print_message(f"note: {as_option(problem)}", "yellow")


def _as_typed(problem: "Problem") -> "Problem":
    """Return the problem in terms of command-line options, such as --cron for the key `cron`."""
    if problem.text.startswith(NO_SCHEDULE):
        from msgspec.structs import replace

        options = ", ".join(f"--{kind}" for kind in KINDS)
        return replace(problem, text=f"{NO_SCHEDULE}; give one of {options}")
    return as_option(problem)


def _warnings(entry: "Entry", config: "Config | None", now: "datetime") -> "list[Problem]":
    """Return the warnings about an entry, and about its task if the Celery app can be loaded.

    Without a configuration, only the entry itself is looked at.
    """
    from beatd.cli.alert_check import unmonitored
    from beatd.cli.entry_warnings import warnings_of
    from beatd.cli.overlap_warnings import overlap_facts
    from beatd.config.unjudged import unjudged
    from beatd.errors import BeatError, Problem
    from beatd.wiring.build import celery_app

    if config is None:
        return list(warnings_of(entry, None, now))
    app, notes = None, []
    try:
        app = celery_app(config) if config.app else None
    except BeatError as error:
        # The host where an entry is added may not have the project's code.
        notes.append(Problem(f"{error}; its tasks are not looked at", warning=True))
    notes += [Problem(one.text, ("alert",), warning=True) for one in unjudged([entry], config)]
    notes += [Problem(one.text, ("monitor",), warning=True) for one in unmonitored([entry], config)]
    facts = overlap_facts([entry], config, app)
    return [*notes, *warnings_of(entry, app, now, facts)]
