"""Print entries as YAML (`beatd export`)."""

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json


@click.command()
@click.argument("names", metavar="[NAME…]", nargs=-1)
@click.option("--source", metavar="OWNER", help="Only entries of this owner: cli, yaml:config…")
@as_json
@takes_store
def command(chosen: ChosenStore, names: tuple[str, ...], source: str | None, json: bool) -> None:
    """Print entries as YAML that `beatd apply` reads.

    Plans and runs are not in it. Without NAME it prints all entries.
    """
    from beatd.catalog import Query
    from beatd.cli.output import print_json
    from beatd.cli.yaml_text import file_of
    from beatd.definition import json_plain_of
    from beatd.edits.editing import row_of

    with chosen.open() as opened:
        for name in names:
            row_of(opened.store.catalog, name)
        rows = opened.store.catalog.find(Query(names=names or None, source=source))
        if json:
            plain = {row.entry.name: json_plain_of(row.entry) for row in rows}
            print_json({"defaults": False, "entries": plain})
            return
        for text in file_of(row.entry for row in rows):
            click.echo(text, nl=False)
