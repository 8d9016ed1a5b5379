"""beatd remove"""

import click

from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Also what a file declares; it returns with the file.")
@as_json
@takes_store
def command(asked: Asked, names: tuple[str, ...], force: bool, json: bool) -> None:
    """Remove entries; all of them, or none when one is unknown or declared in a file."""
    from beatd.cli.output import print_json
    from beatd.editing import remove

    with asked.open() as opened:
        remove(opened.store, names, force=force)
    if json:
        print_json({"removed": list(dict.fromkeys(names))})
    else:
        for name in dict.fromkeys(names):
            click.echo(f"removed {name}")
