"""Complete names of entries when the user presses the tab key."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from beatd.config import Config

NAMES_MAX = 50
STORE_TIMEOUT_S = 0.5


def names_of_entries(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return up to NAMES_MAX entry names that begin with `incomplete`, or [] after any error."""
    try:
        return _names_beginning_with(incomplete, _config_of(ctx))
    except Exception:  # a message would appear in the line that is being typed
        return []


def _config_of(ctx: click.Context) -> "Config":
    from beatd.cli.chosen_store import ChosenStore
    from beatd.cli.config_option import ConfigOption

    above = ctx.parent.params if ctx.parent is not None else {}
    given = ConfigOption(
        config=ctx.params.get("config") or above.get("config"),
        app=ctx.params.get("app") or above.get("app"),
    )
    return ChosenStore(given, ctx.params.get("url")).config()


def _names_beginning_with(incomplete: str, config: "Config") -> list[str]:
    from beatd.catalog import Query
    from beatd.clock import SystemClock
    from beatd.definition import codec
    from beatd.wiring.backends import open_store

    store = open_store(
        config.store.url,
        codec=codec,
        clock=SystemClock(),
        prefix=config.store.prefix,
        timeout=STORE_TIMEOUT_S,
        if_absent="empty",
    )
    try:
        found = store.find(Query(name_like=f"{incomplete}*", limit=NAMES_MAX))
        names = [row.entry.name for row in found]
    finally:
        store.close()
    return [name for name in names if name.startswith(incomplete)]
