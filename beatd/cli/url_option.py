"""The options --url, --token-file and --ca, which choose a running daemon instead of a store."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from beatd.cli.config_option import ConfigOption, UrlOption, takes_config
from beatd.cli.failure import print_message

if TYPE_CHECKING:
    from beatd.remote.remote_daemon import RemoteDaemon

URL_HELP = "A running daemon: the command works over its API. [env: BEATD_URL]"
TOKEN_FILE_HELP = "A file with the token for --url. [env: BEATD_TOKEN, BEATD_TOKEN_FILE]"
CA_HELP = "The certificates that --url trusts. [default: the system's, or SSL_CERT_FILE]"


def takes_url(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the options of `takes_config` and --url, --token-file and --ca.

    The command gets their values as its argument `given`; `given.url` is None without a URL.
    """

    @click.option("--url", metavar="URL", help=URL_HELP)
    @click.option("--token-file", type=click.Path(), metavar="FILE", help=TOKEN_FILE_HELP)
    @click.option("--ca", type=click.Path(), metavar="FILE", help=CA_HELP)
    @takes_config
    @wraps(command)
    def wrapped(
        given: ConfigOption, url: str | None, token_file: str | None, ca: str | None, **rest: Any
    ) -> Any:
        return command(given=replace(given, url=_chosen(given, url, token_file, ca)), **rest)

    return wrapped


def _chosen(
    given: ConfigOption, url: str | None, token_file: str | None, ca: str | None
) -> UrlOption | None:
    """Return the daemon that the command works on, or None if it works on a store.

    A URL of the environment gives way to -c and -A. Raises click.UsageError if both were typed.
    """
    before = given.url or UrlOption()
    chosen = UrlOption(
        url or before.url,
        token_file or before.token_file,
        ca or before.ca,
        before.typed or bool(url),
    )
    if chosen.url is None:
        if chosen.token_file or chosen.ca:
            raise click.UsageError("--token-file and --ca go with --url")
        return None
    if not given.typed:
        return chosen
    if chosen.typed:
        raise click.UsageError("--url goes without -c and -A: the daemon has its configuration")
    return None


def remote_daemon(option: UrlOption, timeout_s: float | None = None) -> "RemoteDaemon":
    """Return the daemon at the URL. Raises ConfigError if the URL is wrong."""
    from beatd.clock import SystemClock
    from beatd.remote.api import TIMEOUT_S
    from beatd.remote.daemon_url import DaemonUrl
    from beatd.remote.remote_daemon import RemoteDaemon

    assert option.url is not None, "a URL was given"
    where = DaemonUrl(option.url, option.token_file, option.ca)
    where.base()  # raises ConfigError before anything else is said about the URL
    if where.shows_token():
        print_message("note: the token is sent without TLS; use https://", "yellow")
    return RemoteDaemon(where, SystemClock(), TIMEOUT_S if timeout_s is None else timeout_s)
