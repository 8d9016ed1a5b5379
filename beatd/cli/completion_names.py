"""What the tab key offers for NAME: entries of the store, when it can be asked at once."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from beatd.config import Config

OFFERED_AT_MOST = 50
PATIENCE = 0.5  # seconds


def names_of_entries(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Nothing where anything is wrong: a line half typed is no place for a message."""
    try:
        return _begun_with(incomplete, _config_of(ctx))
    except Exception:
        return []


def _config_of(ctx: click.Context) -> "Config":
    from beatd.cli.config_option import Given
    from beatd.cli.open_store import Asked

    above = ctx.parent.params if ctx.parent is not None else {}
    given = Given(
        config=ctx.params.get("config") or above.get("config"),
        app=ctx.params.get("app") or above.get("app"),
    )
    return Asked(given, ctx.params.get("url")).config()


def _begun_with(incomplete: str, config: "Config") -> list[str]:
    from pathlib import Path

    from beatd.catalog import Query
    from beatd.clock import SystemClock
    from beatd.definition import codec
    from beatd.wiring.backends import open_store

    url = config.store.url
    if url.startswith("sqlite") and not Path(url.split("///", 1)[-1]).exists():
        return []  # to open it would make it
    store = open_store(
        url, codec=codec, clock=SystemClock(), prefix=config.store.prefix, timeout=PATIENCE
    )
    try:
        found = store.find(Query(name_like=f"{incomplete}*", limit=OFFERED_AT_MOST))
        names = [row.entry.name for row in found]
    finally:
        store.close()
    return [name for name in names if name.startswith(incomplete)]
