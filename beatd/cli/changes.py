"""Show who changed which entry, when and why (`beatd changes`)."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.completion_names import names_of_entries
from beatd.cli.config_option import as_json

if TYPE_CHECKING:
    from beatd.changes import ChangeRecord
    from beatd.store import Roles


@click.command()
@click.argument("name", required=False, shell_complete=names_of_entries)
@click.option(
    "-n", "--limit", type=click.IntRange(1), metavar="N", help="Show at most N changes, the newest."
)
@as_json
@takes_store
def command(chosen: ChosenStore, name: str | None, limit: int | None, json: bool) -> None:
    """Show who changed which entry, and how.

    The newest change is first. `beatd undo ID` undoes one.
    """
    from beatd.views.change_rows import COLUMNS, change_cells, change_json

    with chosen.open(chosen.config_for_reading()) as opened:
        records = _records(opened.store, name, limit)
        tz = opened.config.timezone
        if json:
            from beatd.cli.output import stream_json

            stream_json(map(change_json, records))
        else:
            from beatd.cli.paged_table import print_pages
            from beatd.cli.table_times import table_times

            when, title = table_times(tz, opened.now)
            rows = (
                [record.id, when(record.at.replace(microsecond=0)), *change_cells(record, tz)]
                for record in records
            )
            print_pages(
                COLUMNS,
                rows,
                nothing="no change is known",
                least={"what": 24, "entry": 16, "who": 12, "note": 12},
                left_out=(*(("entry",) if name else ()), "how", "note"),
                title=title,
            )


def _records(store: "Roles", name: str | None, limit: int | None) -> "Iterator[ChangeRecord]":
    """Return the records of changes. Raises UnknownEntry if there is neither a record nor an entry
    of this name."""
    from beatd.edits.editing import row_of
    from beatd.views.change_rows import all_changes

    records = all_changes(store.changes, name, limit)
    first = list(islice(records, 1))
    if not first and name is not None:
        row_of(store.catalog, name)
    return chain(first, records)
