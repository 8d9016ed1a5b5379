"""The store that a command works on: the configuration's, or one given by its URL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from beatd.cli.config_option import Given, takes_config

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.clock import Clock
    from beatd.config import Config
    from beatd.store import Roles


class Asked(Struct, frozen=True):
    """What was said of configuration and store; nothing is opened yet."""

    given: Given
    url: str | None

    def config(self) -> "Config":
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
        from beatd.errors import ConfigError
        from beatd.problem import Problem

        try:
            return self.given.load()
        except ConfigError as error:
            *before, last = error.problems
            hint = f"{last.text} (--store URL, without -c, needs no configuration)"
            told = Problem(hint, last.path, last.place)
            raise ConfigError(str(error), [*before, told]) from None

    @contextmanager
    def open(self, config: "Config | None" = None) -> "Iterator[Open]":
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
            yield Open(
                config, Roles.of(store), now, now(), partial(_begun, now, clock, self.given.began)
            )
        finally:
            store.close()


class Open(Struct, frozen=True):
    config: "Config"
    store: "Roles"
    present: "Callable[[], datetime]"
    now: "datetime"  # when it was opened
    begun: "Callable[[], datetime]"  # when the command began: what a one-off counts from


def _begun(now: "Callable[[], datetime]", clock: "Clock", began: float | None) -> "datetime":
    moment = now()
    return moment if began is None else moment - timedelta(seconds=clock.elapsed() - began)


def takes_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds -c and --store to a command, whose function gets them as `asked`."""

    @click.option(
        "--store", "url", metavar="URL", help="The store, instead of the configuration's."
    )
    @takes_config
    @wraps(command)
    def wrapped(given: Given, url: str | None, **rest: Any) -> Any:
        return command(asked=Asked(given, url), **rest)

    return wrapped
