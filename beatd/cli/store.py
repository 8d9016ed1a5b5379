"""beatd store"""

import click

from beatd.cli.config_option import as_json
from beatd.cli.open_store import Asked, takes_store


@click.group()
def command() -> None:
    """Maintain the store itself."""


@command.command("new-identity")
@as_json
@takes_store
def new_identity(asked: Asked, json: bool) -> int:
    """Give a cloned store task ids of its own.

    Task ids are made from the store's identity, the entry and its moment. So a clone of a database
    makes the same ids as the original until it has another identity. Ends with 1 while a daemon
    runs on the store.
    """
    from beatd.cli.output import print_json
    from beatd.errors import BeatError
    from beatd.wiring.backends import me

    with asked.open() as opened:
        running = [daemon.holder.name for daemon in opened.store.presences.daemons()]
        if running:
            raise BeatError(f"stop the daemons on this store first: {', '.join(running)}")
        fresh = opened.store.place.new_identity()
        # A daemon that slept through this, or was just starting, is refused once it claims by the
        # old identity, and begins a term of its own by the new one.
        opened.store.terms.begin(me("beatd store new-identity", opened.now))
    if json:
        print_json({"identity": str(fresh)})
    else:
        click.echo(f"task ids are made in {fresh} from here on")
    return 0
