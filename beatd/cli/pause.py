"""Pause entries (`beatd pause`)."""

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@as_json
@takes_store
def command(chosen: ChosenStore, names: tuple[str, ...], json: bool) -> None:
    """Stop entries from running until they are resumed.

    Works for every entry, also for one that a file declares. No file ends a pause.
    """
    from beatd.cli.pause_resume import set_paused
    from beatd.edits.editing import pause

    set_paused(chosen, names, pause, "paused", "was paused already", json)
