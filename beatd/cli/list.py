"""beatd list"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store

if TYPE_CHECKING:
    from beatd.catalog import Query, Stored
    from beatd.cli.opened import Open


@click.command()
@click.argument("pattern", required=False)
@click.option("--task", metavar="PATTERN", help="Entries of this task; * and ? match.")
@click.option("--source", metavar="OWNER", help="Entries of this owner: cli, yaml:config…")
@click.option("--due-within", metavar="D", help="Entries due within 30s, 1h…, and overdue ones.")
@click.option("--paused", is_flag=True, help="Paused entries only.")
@click.option("--disabled", is_flag=True, help="Disabled entries only.")
@click.option("--enabled", is_flag=True, help="Neither disabled nor paused ones.")
@click.option("--sort", type=click.Choice(["next", "name"]), default="next", help="[default: next]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")
@as_json
@takes_store
def command(asked: Asked, json: bool, **options: Any) -> None:
    """List entries, the next to run first; PATTERN is a name in which * and ? match."""
    query = _query(**options)
    with asked.open() as opened:
        rows = _found(opened, query, options)
        if json:
            from beatd.cli.output import stream_json
            from beatd.cli.rows import json_of

            stream_json(json_of(row) for row in rows)
        else:
            from beatd.cli.pages import print_pages
            from beatd.cli.rows import COLUMNS, cells_of

            print_pages(
                COLUMNS, cells_of(rows, opened.now), nothing="no entry; `beatd add` makes one"
            )


def _query(**options: Any) -> dict[str, Any]:
    """What the store can tell apart; the rest is looked at here."""
    from beatd.errors import ConfigError
    from beatd.schedules import parse_duration

    if options["enabled"] and (options["paused"] or options["disabled"]):
        raise click.UsageError("--enabled leaves out what --paused and --disabled ask for")
    try:
        within = parse_duration(options["due_within"]) if options["due_within"] else None
    except ConfigError as error:
        raise ConfigError(f"--due-within: {error}") from None
    return {"within": within}


def _found(opened: "Open", query: dict[str, Any], options: dict[str, Any]) -> "Iterator[Stored]":
    asked = _as_query(opened, query, options)
    left = options["limit"]
    for row in opened.store.find(asked):
        if options["paused"] and not row.paused and not (options["disabled"]):
            continue
        if options["disabled"] and row.entry.enabled and not (options["paused"] and row.paused):
            continue
        yield row
        if left is not None:
            left -= 1
            if left == 0:
                return


def _as_query(opened: "Open", query: dict[str, Any], options: dict[str, Any]) -> "Query":
    from beatd.catalog import Query

    stopped = options["paused"] or options["disabled"]
    within = query["within"]
    return Query(
        name_like=options["pattern"],
        task_like=options["task"],
        source=options["source"],
        due_before=None if within is None else opened.now + within,
        enabled=False if stopped else (True if options["enabled"] else None),
        order=options["sort"],
        limit=None if stopped else options["limit"],
    )
