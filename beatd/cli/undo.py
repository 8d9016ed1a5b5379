"""Undo a change of an entry (`beatd undo`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.author import author_with, takes_note
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json
from beatd.cli.escapes import echo

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.edits.undo import Undone


@click.command()
@click.argument("id")
@click.option(
    "--force",
    is_flag=True,
    help="Also if the entry was changed since, or if a file declares it: the store owns it then.",
)
@takes_note
@as_json
@takes_store
def command(chosen: ChosenStore, id: str, force: bool, note: str, json: bool) -> None:
    """Undo a change of an entry.

    ID is from `beatd changes`. It restores what the change changed: the definition and its owner,
    or the pause. The entry counts from now, and a removed one begins with no runs. Nothing that it
    missed runs. It refuses an entry that was changed again since.
    """
    from beatd.cli.output import print_json
    from beatd.definition import codec
    from beatd.edits.undo import undo
    from beatd.views.entry_rows import json_of

    with chosen.open() as opened:
        if opened.api is not None:
            from beatd.remote.remote_edits import undo_over

            done = undo_over(opened.api, id, note, opened.now, force=force)
        else:
            done = undo(
                opened.store.catalog,
                opened.store.changes,
                id,
                opened.present,
                author_with(note),
                codec,
                force=force,
            )
    if json:
        after = done.after
        entry = None if after is None else json_of(after)
        print_json({"undone": id, "name": done.record.name, "entry": entry})
    else:
        _print(done, opened.now, opened.config.timezone)


def _print(done: "Undone", now: "datetime", tz: str) -> None:
    """Print what was restored, as `beatd edit` does, and whether the entry is paused."""
    from beatd.cli.differences import print_difference
    from beatd.definition import plain_of
    from beatd.views.pause_text import pause_state

    name, before, after = done.record.name, done.before, done.after
    old = None if before is None else plain_of(before.entry)
    new = None if after is None else plain_of(after.entry)
    if old != new:
        print_difference(name, old, new)
    if before is not None and after is not None and before.entry.source != after.entry.source:
        echo(f"{name} belongs to {after.entry.source} now")
    was = None if before is None else (before.paused, before.pause)
    if after is not None and after.paused and was != (True, after.pause):
        echo(f"{name} is {pause_state(after, now, tz)}")
    elif after is not None and before is not None and before.paused and not after.paused:
        echo(f"{name} is resumed")
    elif (before, after) == (None, None) or (
        before is not None and after is not None and before.entry == after.entry
    ):
        echo(f"{name} is like that already")
