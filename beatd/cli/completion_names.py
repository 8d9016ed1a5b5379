"""Complete names of entries and of zones when the user presses the tab key."""

from typing import TYPE_CHECKING

import click

from beatd.cli.chosen_store import ChosenStore
from beatd.cli.config_option import ConfigOption, UrlOption, config_file

if TYPE_CHECKING:
    from beatd.config import Config

NAMES_MAX = 50
STORE_TIMEOUT_S = 0.5
API_TIMEOUT_S = 1.0  # of each of two requests


def names_of_entries(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return up to NAMES_MAX entry names that begin with `incomplete`, or [] after any error."""
    try:
        given, store_url = _given(ctx)
        if given.url is not None and store_url is None:
            return _names_over(incomplete, given.url)
        return _names_beginning_with(incomplete, ChosenStore(given, store_url).config())
    except Exception:  # a message would appear in the line that is being typed
        return []


def names_of_zones(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the time zones that begin with `incomplete`, in any case of its letters."""
    from zoneinfo import available_timezones

    start = incomplete.lower()
    return sorted(zone for zone in available_timezones() if zone.lower().startswith(start))


def _given(ctx: click.Context) -> tuple[ConfigOption, str | None]:
    """Return the configuration or the daemon of the line, and the value of --store."""
    above = ctx.parent.params if ctx.parent is not None else {}
    named = {key: ctx.params.get(key) or above.get(key) for key in ("config", "app", "url")}
    url = None
    if named["url"] and not (ctx.params.get("config") or ctx.params.get("app")):
        token_file, ca = (ctx.params.get(key) or above.get(key) for key in ("token_file", "ca"))
        url = UrlOption(named["url"], token_file, ca)
    config = config_file(named["config"], named["app"])
    return ConfigOption(config=config, app=named["app"], url=url), ctx.params.get("store_url")


def _names_over(incomplete: str, option: UrlOption) -> list[str]:
    from beatd.catalog import Query
    from beatd.cli.url_option import remote_daemon

    daemon = remote_daemon(option, timeout_s=API_TIMEOUT_S)
    found = daemon.roles().catalog.find(Query(name_like=f"{incomplete}*", limit=NAMES_MAX))
    return [row.entry.name for row in found]


def _names_beginning_with(incomplete: str, config: "Config") -> list[str]:
    from beatd.catalog import Query
    from beatd.wiring.configured_store import configured_store

    store = configured_store(config, timeout_s=STORE_TIMEOUT_S, if_absent="empty")
    try:
        found = store.find(Query(name_like=f"{incomplete}*", limit=NAMES_MAX))
        names = [row.entry.name for row in found]
    finally:
        store.close()
    return [name for name in names if name.startswith(incomplete)]
