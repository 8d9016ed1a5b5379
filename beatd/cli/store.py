"""Copy a store, open a copied one again, or give one a new identity (`beatd store`)."""

from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json

if TYPE_CHECKING:
    from beatd.config import Config, Store


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


@command.command("reopen")
@as_json
@takes_store
def reopen(chosen: ChosenStore, json: bool) -> int:
    """Let daemons run on a copied store again.

    `beatd store copy` marks FROM, and no daemon runs on it any more. This removes the mark. Stop
    the daemons on the other store first: both would run each entry.
    """
    from beatd.cli.output import print_json
    from beatd.daemon.store_status import copied_row
    from beatd.views.copied_to import copied_to_text

    if chosen.daemon is not None:
        raise click.UsageError("`store reopen` works on the store itself; leave out --url")
    with chosen.open() as opened:
        marks = opened.store.catalog.marks
        copied = marks.copied_to()
        if copied is not None:
            marks.write_copied_to("", opened.now)
    if json:
        print_json({"copied_to": copied_row(copied)})
    elif copied is None:
        click.echo("daemons may run on this store: it was not copied")
    else:
        text = copied_to_text(copied.place, copied.at, opened.config.timezone)
        click.echo(f"daemons may run on this store again; it was copied {text}: start none there")
    return 0


@command.command("copy")
@click.argument("source", metavar="FROM", type=click.Path())
@click.argument("target", metavar="TO", type=click.Path())
@click.option(
    "--backup", is_flag=True, help="FROM stays in use: it gets no mark, and daemons run on it."
)
@as_json
def copy(source: str, target: str, backup: bool, json: bool) -> int:
    """Copy everything from one store into another, empty one.

    FROM and TO are URLs of stores, or configurations (config.yaml) that name them. Any kind is
    copied to any other, except memory:. The copy has entries with their owners, pauses and plans,
    runs, history, outcomes, incidents and requests, and makes the same task ids. No daemon may run
    on either. A copy that was interrupted goes on when it is started again.

    In the end FROM is marked, and no daemon runs on it any more: it would run each entry a second
    time. `beatd store reopen` removes the mark, and with --backup FROM gets none.

    Ends with 1 if the two do not hold the same afterwards.
    """
    from beatd.cli.output import print_json, print_table
    from beatd.cli.progress import progress
    from beatd.copying.store_copying import copy_store
    from beatd.errors import ConfigError

    chosen_source, chosen_target = _chosen(source, "FROM"), _chosen(target, "TO")
    from_config, to_config = _config_of(chosen_source), _config_of(chosen_target)
    _refuse_kind(from_config.store.url, "FROM", must_exist=True)
    _refuse_kind(to_config.store.url, "TO", must_exist=False)
    if from_config.store == to_config.store:
        raise ConfigError("FROM and TO are the same store; name another one for TO")
    with (
        chosen_source.open(from_config) as opened,
        chosen_target.open(to_config, if_absent="create") as other,
        progress(lines_in_pipe=True) as show,
    ):
        place = "" if backup else shown_place(to_config.store, from_config.store)
        done = copy_store(opened.store, other.store, other.now, show, place=place)
    counts = [
        (name, getattr(done.source, name), getattr(done.target, name))
        for name in done.source.__struct_fields__
    ]
    if json:
        table = {name: {"from": before, "to": after} for name, before, after in counts}
        print_json({"counts": table, "resumed": done.resumed, "whole": done.is_whole})
    else:
        rows = [
            (name.replace("_", " "), str(before), (str(after), "" if before == after else "red"))
            for name, before, after in counts
        ]
        print_table(("", "FROM", "TO"), rows)
    if done.is_whole:
        if done.source != done.target:
            message = f"TO keeps no more than about {done.kept} records of history: the newest"
            click.echo(message, err=True)
        click.echo(_next_step(place), err=True)
        return 0
    from beatd.cli.failure import print_message

    print_message(
        "TO does not hold the same as FROM: this beatd cannot read a part of FROM "
        "(`beatd doctor` names it), or TO was changed since"
    )
    return 1


def shown_place(store: "Store", other: "Store | None" = None) -> str:
    """Return the URL of a store without its password and, in Redis, a prefix of its own.

    The prefix is also returned if `other` is a store with the same URL.
    """
    from beatd.config import Store
    from beatd.config.schemes import REDIS, scheme_of
    from beatd.secret import masked

    names_prefix = scheme_of(store.url) in REDIS and (
        store.prefix != Store().prefix or (other is not None and other.url == store.url)
    )
    url = str(masked(store.url))  # a Secret cannot be written to a shelve file or to Redis
    return f"{url} (prefix {store.prefix})" if names_prefix else url


def _next_step(place: str) -> str:
    if not place:
        return "copied; FROM stays in use, so start no daemon on TO: it would make the same runs"
    return (
        f"copied; start daemons on TO ({place}). FROM is marked, and no daemon runs on it any more "
        "(`beatd store reopen` removes the mark)"
    )


def _chosen(text: str, which: str) -> ChosenStore:
    """Return the store that `text` names: a store URL, or the path of a configuration."""
    from pathlib import Path

    from beatd.cli.config_option import ConfigOption
    from beatd.config.store_files import url_of_new_file, url_of_store_file
    from beatd.config.urls import resolved
    from beatd.errors import ConfigError

    if ":" not in text or Path(text).is_file():
        if meant := url_of_store_file(text, Path.cwd()):
            raise ConfigError(
                f"{which}: {text}: is a file, and a store is named by a URL; did you mean {meant}?"
            )
        if not Path(text).exists():
            meant = url_of_new_file(text)
            hint = f"did you mean {meant}?" if meant else "is the path right?"
            raise ConfigError(f"{which}: {text}: there is no such configuration; {hint}")
        return ChosenStore(ConfigOption(config=text), None)
    try:
        resolved("store", text, Path.cwd())
    except ConfigError as error:
        raise ConfigError(f"{which}: {error}") from None
    return ChosenStore(ConfigOption(), text)


def _config_of(chosen: ChosenStore) -> "Config":
    # Not by `chosen.config` if a file is named: its hint names options that `store copy` lacks.
    return chosen.given.load() if chosen.url is None else chosen.config()


def _refuse_kind(url: str, which: str, *, must_exist: bool) -> None:
    """Raise ConfigError if the store cannot be copied, or if its file must exist and does not."""
    from pathlib import Path
    from urllib.parse import urlsplit

    from beatd.config.schemes import DJANGO
    from beatd.errors import ConfigError

    if url.startswith(DJANGO):
        raise ConfigError(
            f"{which}: the entries of this store are rows of django-celery-beat; "
            "write them into another store with `beatd import`"
        )
    if url.startswith("memory:"):
        raise ConfigError(f"{which}: a memory: store lives within its daemon and ends with it")
    path = ""
    if url.startswith("shelve:"):
        path = url.removeprefix("shelve:")
    elif url.startswith("sqlite"):
        path = urlsplit(url).path.removeprefix("/")
    if must_exist and path and not Path(path).exists():
        raise ConfigError(f"{which}: there is no file {path}")
