"""Resume paused entries (`beatd resume`)."""

import click

from beatd.cli.author import author_with, takes_note
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@takes_note
@as_json
@takes_store
def command(chosen: ChosenStore, names: tuple[str, ...], note: str, json: bool) -> None:
    """Let paused entries run again, from now.

    They do not run what they missed.
    """
    from beatd.cli.pause_resume import print_edited
    from beatd.edits.editing import rows
    from beatd.edits.pausing import resume

    with chosen.open() as opened:
        catalog = opened.store.catalog
        edited = resume(catalog, names, opened.present, author_with(note))
        after = rows(catalog, names)
        tz = opened.config.timezone
    print_edited(
        names, edited, after, "resumed", "was not paused", json=json, now=opened.now, tz=tz
    )
