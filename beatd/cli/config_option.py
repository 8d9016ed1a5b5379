"""The options -c, -A and --debug, which choose a command's configuration and Celery app.

`config_file` has the rule by which every command finds its configuration.
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.config import Config

GROUP_OPTIONS = ("-c", "--config", "-A", "--app", "--url", "--token-file", "--ca")
GROUP_FLAGS = ("--debug",)
FILE_IN_FOLDER = "config.yaml"
CONFIG_HELP = "The configuration. [default: $BEATD_CONFIG, else config.yaml in the current folder]"
APP_HELP = "A Celery app, with -c or instead of any configuration."
DEBUG_HELP = "Show where an unexpected error came from."


class UrlOption(Struct, frozen=True):
    """The values of the options --url, --token-file and --ca.

    `typed` is False for a URL of BEATD_URL.
    """

    url: str | None = None
    token_file: str | None = None
    ca: str | None = None
    typed: bool = False


class ConfigOption(Struct, frozen=True):
    """The values of the options -c, -A and --debug, and of --url where a command takes it.

    An option after the command's name wins over the same option before it. `typed` is False for a
    configuration that was found by `config_file`, not named by -c.
    """

    config: str | None = None
    app: str | None = None
    debug: bool = False
    started_at_elapsed: float | None = (
        None  # the start of the command, on the clock of elapsed time
    )
    typed: bool = False
    url: UrlOption | None = None

    def started_at(self) -> "datetime":
        """Return the time when the command was started, by the host's clock."""
        from datetime import timedelta

        from beatd.clock import SystemClock

        clock = SystemClock()
        started = self.started_at_elapsed
        age = 0.0 if started is None else clock.elapsed() - started
        return clock.now() - timedelta(seconds=age)

    def load(self) -> "Config":
        """Load the configuration file or, without one, the settings of the Celery app.

        Raises ConfigError if the configuration is wrong, and click.UsageError if there is none.
        """
        from beatd.config import load_config

        if self.config is not None:
            return load_config(self.config, app=self.app).config
        if self.app is not None:
            from beatd.celery.settings import config_of
            from beatd.publishers.celery_app import load_app

            return config_of(load_app(self.app), spelled=self.app)
        raise click.UsageError(
            "which configuration? give -c FILE, set BEATD_CONFIG, or have a config.yaml here"
        )


def config_file(config: str | None, app: str | None) -> str | None:
    """Return the configuration file of a command whose options -c and -A have these values.

    It is the file of -c. If neither option is given, it is the file of BEATD_CONFIG, else
    config.yaml in the current folder. Returns None if there is no such file.
    """
    if config or app:
        return config
    if named := os.environ.get("BEATD_CONFIG"):
        return named
    from pathlib import Path

    return FILE_IN_FOLDER if Path(FILE_IN_FOLDER).is_file() else None


def takes_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the options -c, -A and --debug.

    The command gets their values as its argument `given`, a `ConfigOption`.
    """

    @click.option("-c", "--config", type=click.Path(), metavar="FILE", help=CONFIG_HELP)
    @click.option("-A", "--app", metavar="MODULE:APP", help=APP_HELP)
    @click.option("--debug", is_flag=True, help=DEBUG_HELP)
    @click.pass_context
    @wraps(command)
    def wrapped(
        ctx: click.Context, /, config: str | None, app: str | None, debug: bool, **rest: Any
    ) -> Any:
        before = ctx.obj if isinstance(ctx.obj, ConfigOption) else ConfigOption()
        config, app = config or before.config, app or before.app
        given = ConfigOption(
            config=config_file(config, app),
            app=app,
            debug=debug or before.debug,
            started_at_elapsed=before.started_at_elapsed,
            typed=bool(config or app),
            url=before.url,
        )
        return command(given=given, **rest)

    return wrapped


as_json = click.option("--json", "json", is_flag=True, help="Print JSON for programs.")
