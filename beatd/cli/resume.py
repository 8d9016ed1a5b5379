"""Resume paused entries (`beatd resume`)."""

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@as_json
@takes_store
def command(chosen: ChosenStore, names: tuple[str, ...], json: bool) -> None:
    """Let paused entries run again, from now.

    They do not run what they missed.
    """
    from beatd.cli.pause_resume import set_paused
    from beatd.edits.editing import resume

    set_paused(chosen, names, resume, "resumed", "was not paused", json)
