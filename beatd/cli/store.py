"""Maintain the store itself (`beatd store`)."""

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json


@click.group()
def command() -> None:
    """Maintain the store itself."""


@command.command("new-identity")
@as_json
@takes_store
def new_identity(chosen: ChosenStore, json: bool) -> int:
    """Give a cloned store task ids of its own.

    Task ids are made from the store's identity, the entry and its moment. So a clone of a database
    makes the same ids as the original until it has another identity. Ends with 1 while a daemon
    runs on the store.
    """
    from beatd.cli.output import print_json
    from beatd.errors import BeatError
    from beatd.wiring.backends import own_holder

    with chosen.open() as opened:
        running = [daemon.holder.name for daemon in opened.store.presences.daemons()]
        if running:
            raise BeatError(f"stop the daemons on this store first: {', '.join(running)}")
        fresh = opened.store.place.new_identity()
        # A new term: the claims of a daemon that was asleep, or just starting, are refused until it
        # has read the new identity.
        opened.store.terms.begin(own_holder("beatd store new-identity", opened.now))
    if json:
        print_json({"identity": str(fresh)})
    else:
        click.echo(f"task ids are made in {fresh} from here on")
    return 0
