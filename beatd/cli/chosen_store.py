"""Open the store that a command works on, which the configuration or --store names."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from beatd.cli.config_option import ConfigOption, takes_config

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.clock import Clock
    from beatd.config import Config
    from beatd.store import Roles


class ChosenStore(Struct, frozen=True):
    """The typed options that choose a store, which is not open yet.

    `given` has the values of -c and -A, and `url` is the value of --store.
    """

    given: ConfigOption
    url: str | None

    def config(self) -> "Config":
        """Return the configuration, with the URL of --store in place of its store if there is one.

        Raises ConfigError if the configuration or the URL is wrong.
        """
        if self.url is None:
            return self._loaded()
        from pathlib import Path

        from beatd.config import Config, Store
        from beatd.config.urls import resolved
        from beatd.errors import ConfigError

        config = self.given.load() if self.given.config else Config(folder=str(Path.cwd()))
        try:
            url = resolved("store", self.url, Path.cwd())
        except ConfigError as error:
            raise ConfigError(f"--store: {error}") from None
        from msgspec.structs import replace

        return replace(config, store=Store(url=url, prefix=config.store.prefix))

    def _loaded(self) -> "Config":
        from beatd.errors import ConfigError, Problem

        try:
            return self.given.load()
        except ConfigError as error:
            *before, last = error.problems
            hint = f"{last.text} (--store URL, without -c, needs no configuration)"
            with_hint = Problem(hint, last.path, last.place)
            raise ConfigError(str(error), [*before, with_hint]) from None

    @contextmanager
    def open(self, config: "Config | None" = None) -> "Iterator[OpenedStore]":
        """Open the store for the `with` block, and close it afterwards.

        `config` is the configuration if it was loaded already. Raises StoreError if the store
        cannot be reached, and ConfigError for a memory: store, which only its own daemon can use.
        """
        from beatd.clock import SystemClock
        from beatd.config import make_folders
        from beatd.definition import codec
        from beatd.edits.editing import present
        from beatd.errors import ConfigError
        from beatd.store import Roles
        from beatd.wiring.backends import open_store

        config = config or self.config()
        clock = SystemClock()
        if config.store.url.startswith("memory:"):
            raise ConfigError(
                "store: memory: lives within a daemon, and no command can reach it; "
                "use sqlite:, postgresql:, redis: or shelve: to see it from outside"
            )
        if self.url is None:
            make_folders(config)
        store = open_store(config.store.url, codec=codec, clock=clock, prefix=config.store.prefix)
        try:
            now = partial(present, store, clock)
            started_at = partial(_started_at, now, clock, self.given.started_at_elapsed)
            yield OpenedStore(config, Roles.of(store), now, now(), started_at)
        finally:
            store.close()


class OpenedStore(Struct, frozen=True):
    """An open store with its configuration, and the time by the store's clock.

    `present` returns the current time, and `now` is the time when the store was opened.
    `started_at` returns the time when the command was started, from which a one-off counts.
    """

    config: "Config"
    store: "Roles"
    present: "Callable[[], datetime]"
    now: "datetime"  # when the store was opened
    started_at: "Callable[[], datetime]"  # the start of the command, from which a one-off counts


def _started_at(
    now: "Callable[[], datetime]", clock: "Clock", started_at_elapsed: float | None
) -> "datetime":
    """Return the time when the command was started, by the store's clock.

    `started_at_elapsed` is that time on the clock of elapsed seconds; if it is None, the result is
    the current time. `now` returns the current time by the store's clock.
    """
    moment = now()
    if started_at_elapsed is None:
        return moment
    return moment - timedelta(seconds=clock.elapsed() - started_at_elapsed)


def takes_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options -c, -A and --store to a command.

    The decorated function gets them as its argument `chosen`, a `ChosenStore`.
    """

    @click.option(
        "--store", "url", metavar="URL", help="The store, instead of the configuration's."
    )
    @takes_config
    @wraps(command)
    def wrapped(given: ConfigOption, url: str | None, **rest: Any) -> Any:
        return command(chosen=ChosenStore(given, url), **rest)

    return wrapped
