"""beatd resume"""

import click

from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.open_store import Asked, takes_store


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@as_json
@takes_store
def command(asked: Asked, names: tuple[str, ...], json: bool) -> None:
    """Let paused entries run again, from now.

    They do not run what they missed.
    """
    from beatd.cli.pause_resume import mark
    from beatd.edits.editing import resume

    mark(asked, names, resume, "resumed", "was not paused", json)
