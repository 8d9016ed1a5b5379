"""Open the store that a command works on, chosen by the configuration or by --store."""

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
    from beatd.wiring.backends import IfAbsent


class ChosenStore(Struct, frozen=True):
    """The store that the options -c, -A and --store choose; `open` opens it.

    `given` has the values of -c and -A, and `url` is the value of --store.
    """

    given: ConfigOption
    url: str | None

    def config(self) -> "Config":
        """Return the configuration; the URL of --store, if given, replaces its store.

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
    def open(
        self, config: "Config | None" = None, *, if_absent: "IfAbsent" = "refuse"
    ) -> "Iterator[OpenedStore]":
        """Open the store for a `with` block, and close it afterwards.

        Without `config`, the configuration is loaded. `if_absent` decides whether a store is
        created. Raises StoreError if the store cannot be reached, and ConfigError for a memory:
        store, which exists only inside its daemon.
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
        if self.url is None and if_absent == "create":
            make_folders(config)
        store = open_store(
            config.store.url,
            codec=codec,
            clock=clock,
            prefix=config.store.prefix,
            if_absent=if_absent,
        )
        try:
            now = partial(present, store, clock)
            started_at = partial(_started_at, now, clock, self.given.started_at_elapsed)
            yield OpenedStore(config, Roles.of(store), now, now(), started_at)
        finally:
            store.close()


class OpenedStore(Struct, frozen=True):
    """An open store with its configuration and its clock.

    `present` returns the current time by the store's clock.
    """

    config: "Config"
    store: "Roles"
    present: "Callable[[], datetime]"
    now: "datetime"  # when the store was opened
    started_at: "Callable[[], datetime]"  # the start of the command, from which a one-off counts


def _started_at(
    now: "Callable[[], datetime]", clock: "Clock", started_at_elapsed: float | None
) -> "datetime":
    """Return the time when the command was started, by the store's clock that `now` reads.

    `started_at_elapsed` is the start in seconds of `clock.elapsed()`. If it is None, return the
    current time.
    """
    moment = now()
    if started_at_elapsed is None:
        return moment
    return moment - timedelta(seconds=clock.elapsed() - started_at_elapsed)


def takes_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the options -c, -A and --store.

    The command gets their values as its argument `chosen`, a `ChosenStore`.
    """

    @click.option(
        "--store", "url", metavar="URL", help="The store, instead of the configuration's."
    )
    @takes_config
    @wraps(command)
    def wrapped(given: ConfigOption, url: str | None, **rest: Any) -> Any:
        return command(chosen=ChosenStore(given, url), **rest)

    return wrapped
