"""Pause entries (`beatd pause`)."""

import click

from beatd.cli.author import author_with, takes_note
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@click.option(
    "--until",
    metavar="MOMENT|LENGTH",
    help="When they are resumed: 14:00, 2027-01-01T09:00, or 2h from now. "
    "[default: by `resume` only]",
)
@takes_note
@as_json
@takes_store
def command(
    chosen: ChosenStore, names: tuple[str, ...], until: str | None, note: str, json: bool
) -> None:
    """Stop entries from running until they are resumed.

    Works for every entry, also for one that a file declares. No file ends a pause. With --until the
    leader resumes them: nothing of the pause runs, and a moment at its end does. MOMENT is ISO
    8601, or a time of day: the next one. Without an offset it is in the zone of the configuration.
    An entry that is paused already
    gets the new end and the new note.

    \b
    beatd pause report --until 2h --note "the database moves"
    beatd pause report --until 14:00
    """
    from beatd.cli.pause_resume import print_edited
    from beatd.edits.editing import rows
    from beatd.edits.pausing import pause
    from beatd.views.pause_text import read_end

    with chosen.open() as opened:
        tz = opened.config.timezone
        end = None if until is None else read_end("--until", until, opened.present(), tz)
        catalog = opened.store.catalog
        edited = pause(catalog, names, opened.present, author_with(note), until=end)
        after = rows(catalog, names)
    was_so = "is paused now" if end is not None or note else "was paused already"
    print_edited(names, edited, after, "paused", was_so, json=json, now=opened.now, tz=tz)
