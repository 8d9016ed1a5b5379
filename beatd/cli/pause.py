"""beatd pause"""

import click

from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.open_store import Asked, takes_store


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@as_json
@takes_store
def command(asked: Asked, names: tuple[str, ...], json: bool) -> None:
    """Hold entries back until `resume`, whoever declares them; no file clears the mark."""
    from beatd.cli.pause_resume import mark
    from beatd.edits.editing import pause

    mark(asked, names, pause, "paused", "was paused already", json)
