"""Remove entries from the store (`beatd remove`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.author import author_with, takes_note
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.escapes import echo

if TYPE_CHECKING:
    from beatd.entry import Entry


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@click.option(
    "--force", is_flag=True, help="Also entries that a file declares; they return while it does."
)
@takes_note
@as_json
@takes_store
def command(
    chosen: ChosenStore, names: tuple[str, ...], force: bool, note: str, json: bool
) -> None:
    """Remove entries.

    Removes all of them, or none if one is unknown or declared in a file.
    """
    from beatd.cli.output import print_json
    from beatd.edits.editing import remove

    with chosen.open() as opened:
        removed = remove(opened.store.catalog, names, author_with(note), force=force)
    if json:
        print_json({"removed": list(dict.fromkeys(names))})
    else:
        for name in dict.fromkeys(names):
            echo(f"removed {name}{_returns(removed.get(name))}")


def _returns(entry: "Entry | None") -> str:
    """Return a note that a file or app may still declare the removed entry, else "".

    The next apply would then add the entry again.
    """
    from beatd.edits.editing import is_declared

    if entry is None or not is_declared(entry):
        return ""
    return (
        f"; it returns at the next apply if {entry.declared_at or entry.source} still declares it"
    )
