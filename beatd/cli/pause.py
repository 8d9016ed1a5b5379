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
    """Stop entries from running until they are resumed.

    Works for every entry, also for one that a file declares. No file ends a pause.
    """
    from beatd.cli.pause_resume import mark
    from beatd.edits.editing import pause

    mark(asked, names, pause, "paused", "was paused already", json)
