"""Change an entry (`beatd edit`)."""

import os
import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.author import author_with, takes_note
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.entry_options import as_plain_data, fields_of, one_name, takes_fields
from beatd.cli.escapes import echo
from beatd.cli.queue_note import unconsumed_queue
from beatd.cli.schedule_options import FORMS, dated, read_schedule, takes_schedule
from beatd.entry import CANVASES, PAYLOAD

if TYPE_CHECKING:
    from beatd.catalog import Stored


@click.command(epilog=FORMS)
@click.argument("words", metavar="NAME", nargs=-1, shell_complete=names_of_entries)
@takes_fields
@takes_schedule
@click.option(
    "--unset",
    metavar="KEY",
    multiple=True,
    help="Set a field to its default: jitter, options.queue…",
)
@click.option(
    "--force", is_flag=True, help="Also an entry that a file declares: the store owns it then."
)
@takes_note
@as_json
@takes_store
def command(
    chosen: ChosenStore,
    words: tuple[str, ...],
    unset: tuple[str, ...],
    force: bool,
    note: str,
    json: bool,
    **options: Any,
) -> None:
    """Change fields of an entry.

    Without options, the entry opens in $EDITOR. A new schedule or zone counts from now; any other
    change leaves the next run where it is.

    \b
    beatd edit report --cron "0 3 * * *" --priority 3
    beatd edit report --unset jitter
    """
    pairs = bool(options["crontab"] or options["solar"])  # further pairs are among the words
    schedule = read_schedule(options, words if pairs else ())
    name = one_name(schedule.rest if pairs else words)
    fields = {**schedule.plain, **fields_of(options)}
    from beatd.cli.failure import print_message
    from beatd.cli.option_words import as_option
    from beatd.cli.output import print_json
    from beatd.edits.editing import patch, refuse_declared, row_of
    from beatd.edits.patch import patch_of, with_cli_as_owner
    from beatd.errors import ConfigError
    from beatd.views.entry_rows import json_of

    with chosen.open() as opened:
        now = opened.started_at if "at" in fields else opened.present
        before = row_of(opened.store.catalog, name)
        refuse_declared(before.entry, "edited", force=force)
        if not fields and not unset:
            fields, removed = _in_editor(before)
            unset = tuple(removed)
        if not fields and not unset:
            click.echo("nothing was changed", err=True)
            return
        try:
            edit = patch_of(dated(fields, fields.get("tz", before.entry.tz), opened.now), unset)
            edit = with_cli_as_owner(edit) if force else edit
            row = patch(opened.store.catalog, name, edit, now, author_with(note), force=force)
        except ConfigError as error:
            wrong = [as_option(problem) for problem in error.problems if not problem.warning]
            raise ConfigError(str(error), wrong) from None
        if json:
            print_json(json_of(row))
        else:
            _print(before, row)
            _print_new_owner(before, row)
    for problem in unconsumed_queue(row.entry, fields, None if chosen.daemon else opened.config):
        print_message(f"note: {as_option(problem)}", "yellow")


def _print(before: "Stored", after: "Stored") -> None:
    from beatd.cli.differences import print_difference
    from beatd.definition import plain_of
    from beatd.definition.arguments import same

    if same(before.entry, after.entry):
        echo(f"{after.entry.name} is like that already")
    elif (old := plain_of(before.entry)) != (new := plain_of(after.entry)):
        print_difference(after.entry.name, old, new)


def _print_new_owner(before: "Stored", after: "Stored") -> None:
    was, entry = before.entry, after.entry
    if was.source != entry.source:
        place = was.declared_at or was.source
        echo(f"{entry.name} is now owned by {entry.source}; {place} no longer changes it")


def _in_editor(row: "Stored") -> tuple[dict[str, Any], Collection[str]]:
    """Open an entry in $EDITOR, and return its changed fields and the names of removed fields.

    The editor opens again until the text is valid. Raises BeatError if the user gives up.
    """
    from beatd.cli.failure import print_message
    from beatd.cli.yaml_text import yaml_of
    from beatd.definition import check, plain_of
    from beatd.edits.patch import difference
    from beatd.errors import BeatError

    by_hand = sys.stdin.isatty() and sys.stdout.isatty()
    if not by_hand and not {"VISUAL", "EDITOR"} & set(os.environ):
        raise click.UsageError("give options, or run it in a terminal to edit in $EDITOR")
    plain = plain_of(row.entry)
    name = row.entry.name
    text = f"# {name}: save to change it, leave it as it is to change nothing\n{yaml_of(plain)}"
    while True:
        text_now = click.edit(text, extension=".yaml")
        if text_now is None or text_now == text:
            return {}, ()
        written, problems = _read(text_now)
        if not problems:
            checked = check(name, written, timezone=row.entry.tz)
            problems = [str(problem) for problem in checked.problems if not problem.warning]
        if not problems:
            break
        for problem in problems:
            print_message(problem)
        try:
            click.confirm("Edit it again?", default=True, abort=True, err=True)
        except click.Abort:
            raise BeatError("nothing was changed") from None
        text = text_now
    assert checked.entry is not None, "it has no problem"
    # Arguments are compared by value: a date that was read is another value than its text.
    after = {
        **as_plain_data(written),
        **{key: plain_of(checked.entry).get(key) for key in (*PAYLOAD, *CANVASES)},
    }
    changed = difference(plain, after)
    return (
        {key: value for key, value in changed.items() if value is not None},
        [key for key, value in changed.items() if value is None],
    )


def _read(text: str) -> tuple[Any, list[str]]:
    from beatd.config.yaml import Read, parse_yaml

    read = Read("line")
    parse_yaml(text, read, {})
    problems = [str(problem) for problem in read.problems if not problem.warning]
    if not problems and not isinstance(read.data, Mapping):
        problems = ["this is not a mapping of fields"]
    return read.data, problems
