"""Run entries once now (`beatd trigger`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json
from beatd.cli.entry_options import read_json
from beatd.cli.escapes import echo
from beatd.cli.leader_note import note_if_nobody_leads, print_note

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore
    from beatd.edits.request_arguments import RequestArguments


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True, shell_complete=names_of_entries)
@click.option("--args", metavar="JSON", help="Positional arguments of this run only, like [2, 2].")
@click.option(
    "--kwargs", metavar="JSON", help='Keyword arguments of this run only, like {"full": true}.'
)
@as_json
@takes_store
def command(
    chosen: ChosenStore, names: tuple[str, ...], args: str | None, kwargs: str | None, json: bool
) -> None:
    """Run entries once now.

    The next planned run stays as it is. Paused entries run, too. Prints the task ids.

    \b
    beatd trigger report
    beatd trigger report --kwargs '{"day": "2027-01-31"}'
    """
    from beatd.cli.output import print_json
    from beatd.definition.arguments import untagged, untagged_items
    from beatd.edits.editing import row_of
    from beatd.edits.request_arguments import RequestArguments, refuse_arguments
    from beatd.overlap import blocking

    arguments = RequestArguments(
        None if args is None else untagged(read_json("args", args)),
        None if kwargs is None else untagged_items(read_json("kwargs", kwargs)),
    )
    with chosen.open() as opened:
        rows = [row_of(opened.store.catalog, name) for name in names]
        for row in rows:
            # First, so that an entry that cannot be triggered leaves all others alone.
            refuse_arguments(row.entry, arguments)
        ids = [{"entry": name, "task_id": _trigger(opened, name, arguments)} for name in names]
        if json:
            print_json(ids)
        else:
            for done in ids:
                echo(done["task_id"] if len(ids) == 1 else f"{done['task_id']}  {done['entry']}")
        for row in rows:
            if row.entry.overlap == "skip" and blocking(row, opened.now):
                print_note(
                    f"{row.entry.name} is running, and has overlap: skip; "
                    "the new run is skipped if that one has not ended"
                )
        note_if_nobody_leads(opened)


def _trigger(opened: "OpenedStore", name: str, arguments: "RequestArguments") -> str:
    """Request one run of an entry now, and return its task id."""
    from beatd.cli.author import author_with
    from beatd.edits.run_requests import trigger

    if opened.api is not None:
        from beatd.remote.remote_edits import trigger_over

        return trigger_over(opened.api, name, arguments)
    return trigger(
        opened.store.requests,
        name,
        opened.now,
        arguments=arguments,
        marks=opened.store.catalog.marks,
        author=author_with(),
    )
