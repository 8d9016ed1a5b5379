"""The common part of the commands `pause` and `resume`."""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import EditableCatalog
from beatd.cli.chosen_store import ChosenStore
from beatd.cli.escapes import echo

Edit = Callable[[EditableCatalog, Sequence[str], Callable[[], datetime]], list[str]]


def set_paused(
    chosen: ChosenStore, names: Sequence[str], edit: Edit, done: str, was_so: str, json: bool
) -> None:
    """Pause or resume entries by calling `edit`, and print a line for each.

    `edit` returns the names of the changed entries. `done` is the word for a changed entry, such as
    "paused"; `was_so` describes an unchanged one: "was paused already".
    """
    from beatd.cli.author import author
    from beatd.cli.output import print_json
    from beatd.edits.editing import pause, rows
    from beatd.marks import Stop

    with chosen.open() as opened:
        edited = edit(opened.store.catalog, names, opened.present)
        if edit is pause:
            stop = Stop(opened.present(), author())
            for name in edited:
                opened.store.catalog.marks.write_stop(name, stop)
        after = rows(opened.store.catalog, names)
    if json:
        print_json({done: edited})
        return
    for name in dict.fromkeys(names):
        line = f"{done} {name}" if name in edited else f"{name} {was_so}"
        stopped = name in after and not after[name].entry.enabled
        echo(f"{line}; it is disabled, and does not run" if stopped else line)
