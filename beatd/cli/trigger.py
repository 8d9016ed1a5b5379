"""Run entries once now (`beatd trigger`)."""

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.escapes import echo


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@as_json
@takes_store
def command(chosen: ChosenStore, names: tuple[str, ...], json: bool) -> None:
    """Run entries once now.

    The next planned run stays as it is. Paused entries run, too. Prints the task ids.
    """
    from beatd.cli.output import print_json
    from beatd.edits.editing import row_of
    from beatd.edits.run_requests import trigger

    with chosen.open() as opened:
        for name in names:
            row_of(opened.store.catalog, name)  # first, so that an unknown name triggers none
        ids = [
            {"entry": name, "task_id": trigger(opened.store.requests, name, opened.now)}
            for name in names
        ]
    if json:
        print_json(ids[0] if len(ids) == 1 else ids)
    else:
        for done in ids:
            echo(done["task_id"] if len(ids) == 1 else f"{done['task_id']}  {done['entry']}")
