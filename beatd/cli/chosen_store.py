"""Open the store that a command works on, chosen by the configuration, --store or --url."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from beatd.cli.config_option import ConfigOption
from beatd.cli.url_option import remote_daemon, takes_url

if TYPE_CHECKING:
    from datetime import datetime

    from beatd.catalog import Stored
    from beatd.clock import Clock
    from beatd.config import Config
    from beatd.errors import Problem
    from beatd.outcome import EntryOutcome
    from beatd.remote.api import Api
    from beatd.remote.remote_daemon import RemoteDaemon
    from beatd.store import Roles
    from beatd.wiring.backends import IfAbsent


class ChosenStore(Struct, frozen=True):
    """The store that the options -c, -A, --store and --url choose; `open` opens it.

    `given` has the values of -c and -A, and `url` is the value of --store. `daemon` is the daemon
    at --url, whose API is used instead of a store; None without --url.
    """

    given: ConfigOption
    url: str | None
    daemon: "RemoteDaemon | None" = None

    def config(self) -> "Config":
        """Return the configuration; the URL of --store, if given, replaces its store.

        With a daemon, it has the daemon's zone only. Raises ConfigError if the configuration or the
        URL is wrong.
        """
        if self.daemon is not None:
            from pathlib import Path

            from beatd.config import Config

            return Config(folder=str(Path.cwd()), timezone=self.daemon.timezone)
        if self.url is None:
            return self._loaded()
        from pathlib import Path

        from beatd.config import Store
        from beatd.config.urls import resolved
        from beatd.errors import ConfigError

        config = self._config_beside_store()
        try:
            url = resolved("store", self.url, Path.cwd())
        except ConfigError as error:
            raise ConfigError(f"--store: {error}") from None
        from msgspec.structs import replace

        return replace(config, store=Store(url=url, prefix=config.store.prefix))

    def config_for_reading(self) -> "Config":
        """Return the configuration or, if only entries in it are wrong, all else.

        The first mistake is then printed as a note: what the store has can be read all the same.
        Raises ConfigError if another section is wrong.
        """
        from beatd.cli.failure import print_message
        from beatd.config import examine
        from beatd.errors import ConfigError

        try:
            return self.config()
        except ConfigError:
            path = self.given.config
            if path is None or self.url is not None:
                raise
            examined = examine(path, app=self.given.app)
            wrong = [one for one in examined.problems if not one.warning]
            if examined.config is None or not all(_is_about_entries(one) for one in wrong):
                raise
        more = f" (and {len(wrong) - 1} more; see `beatd check`)" if len(wrong) > 1 else ""
        print_message(f"note: {wrong[0]}{more}", "yellow")
        return examined.config

    def _config_beside_store(self) -> "Config":
        """Return the configuration whose store --store replaces, or the defaults without one.

        A wrong configuration that was not named by -c is ignored, with a note on stderr.
        """
        from pathlib import Path

        from beatd.cli.failure import print_message
        from beatd.config import Config
        from beatd.errors import ConfigError

        try:
            if self.given.config is not None:
                return self.given.load()
        except ConfigError as error:
            if self.given.typed:
                raise
            print_message(f"note: {self.given.config} is not used: {error}", "yellow")
        return Config(folder=str(Path.cwd()))

    def _loaded(self) -> "Config":
        from beatd.errors import ConfigError, Problem

        try:
            return self.given.load()
        except ConfigError as error:
            *before, last = error.problems
            hint = f"{last.text} (--store URL, without -c, or --url URL needs no configuration)"
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
        if self.daemon is not None:
            config, now = config or self.config(), self.daemon.now
            yield OpenedStore(config, self.daemon.roles(), now, now(), now, self.daemon.api)
            return
        from beatd.clock import SystemClock
        from beatd.config import make_folders
        from beatd.edits.editing import present
        from beatd.errors import ConfigError, StoreAbsent, UnknownEntry
        from beatd.store import Roles
        from beatd.wiring.configured_store import configured_store

        config = config or self.config()
        clock = SystemClock()
        if config.store.url.startswith("memory:"):
            raise ConfigError(
                "store: memory: lives within a daemon, and no command can reach it; "
                "use sqlite:, postgresql:, redis: or shelve: to see it from outside"
            )
        if self.url is None and if_absent == "create":
            make_folders(config)
        try:
            store = configured_store(config, clock=clock, if_absent=if_absent)
        except StoreAbsent as error:
            if self.url is not None:
                raise
            from beatd.cli.declared_entries import absent_if_declared

            raise absent_if_declared(error, config) from None
        try:
            now = partial(present, store, clock)
            started_at = partial(_started_at, now, clock, self.given.started_at_elapsed)
            yield OpenedStore(config, Roles.of(store), now, now(), started_at)
        except UnknownEntry as error:
            if self.url is not None:
                raise
            from beatd.cli.declared_entries import unknown_if_declared

            raise unknown_if_declared(error, config) from None
        finally:
            store.close()


def _is_about_entries(problem: "Problem") -> bool:
    return problem.path[:1] in (("entries",), ("schedules",), ("defaults",))


class OpenedStore(Struct, frozen=True):
    """An open store with its configuration and its clock.

    `present` returns the current time by the store's clock. `api` is the API that stands for the
    store, or None.
    """

    config: "Config"
    store: "Roles"
    present: "Callable[[], datetime]"
    now: "datetime"  # when the store was opened
    started_at: "Callable[[], datetime]"  # the start of the command, from which a one-off counts
    api: "Api | None" = None

    def outcomes_of(self, rows: "Sequence[Stored]") -> "Mapping[str, EntryOutcome]":
        """Return the newest outcome of each entry of `rows`, by name, as lists show it."""
        if self.api is not None:  # the daemon has done it
            return self.store.outcomes.entry_outcomes([row.entry.name for row in rows])
        from beatd.views.shown_outcomes import shown_outcomes

        return shown_outcomes(self.store, rows, self.now)


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


def chosen_store(given: ConfigOption, store_url: str | None) -> ChosenStore:
    """Return the store that the options choose; a URL of the environment gives way to --store.

    Raises click.UsageError if --store and --url were both typed.
    """
    if given.url is None or (store_url is not None and not given.url.typed):
        return ChosenStore(given, store_url)
    if store_url is not None:
        raise click.UsageError("give --store or --url, not both")
    return ChosenStore(given, None, remote_daemon(given.url))


def takes_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the options -c, -A, --store and --url.

    The command gets their values as its argument `chosen`, a `ChosenStore`.
    """

    @click.option(
        "--store", "store_url", metavar="URL", help="The store, instead of the configuration's."
    )
    @takes_url
    @wraps(command)
    def wrapped(given: ConfigOption, store_url: str | None, **rest: Any) -> Any:
        return command(chosen=chosen_store(given, store_url), **rest)

    return wrapped
