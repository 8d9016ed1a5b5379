"""The backend that a URL names: the only file that names their classes, and imports one of them."""

import os
import socket
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from beatd.clock import Clock
from beatd.config.schemes import DJANGO, LOCKS, REDIS, SQL, STORES, scheme_of
from beatd.config.url_options import refuse_unknown_options
from beatd.errors import ConfigError
from beatd.leader import Holder, Lease
from beatd.store import Store

if TYPE_CHECKING:
    from beatd.catalog import Codec
    from beatd.engine.dispatch import Dispatch
    from beatd.events import Observer
    from beatd.publisher import Publisher


def open_store(
    url: str, *, codec: "Codec", clock: Clock, prefix: str = "beatd:", timeout: float = 2.0
) -> Store:
    """Return the store of a URL.

    Raises StoreError while it cannot be reached, StoreUnusable if waiting would not help, and
    ConfigError for a URL that names no store.
    """
    scheme = scheme_of(url)
    refuse_options("store", url)
    if scheme == "memory":
        from beatd.stores.embedded.memory import MemoryStore

        return cast(Store, MemoryStore(codec=codec, clock=clock))
    if scheme == "shelve":
        from beatd.stores.embedded.shelve import ShelveStore

        return cast(Store, ShelveStore(Path(url.removeprefix("shelve:")), codec=codec, clock=clock))
    if scheme.split("+")[0] in SQL:
        from beatd.stores.sql import SqlStore

        return cast(Store, SqlStore(url, codec=codec, timeout=timeout))
    if url.startswith(DJANGO):
        from beatd.stores.django import DjangoStore

        return cast(Store, DjangoStore(url, codec=codec, timeout=timeout))
    if scheme in REDIS:
        from beatd.stores.redis import RedisStore

        return cast(Store, RedisStore(url, codec=codec, prefix=prefix))
    # Not the URL: it may hold a password.
    known = ", ".join((*STORES, f"{DJANGO}URL"))
    raise ConfigError(f"store.url: {scheme[:40]!r} names no store; known are {known}")


def refuse_options(section: str, url: str) -> None:
    """Raise ConfigError for an option of the URL that its driver does not know."""
    try:
        refuse_unknown_options(section, url)
    except ConfigError as error:
        raise ConfigError(f"{section}.url: {error}") from None


def open_lease(url: str, *, prefix: str = "beatd:") -> Lease:
    """Return the lease of a URL. Raises like `open_store`."""
    scheme = scheme_of(url)
    refuse_options("lock", url)
    if url in ("none", "none:"):
        from beatd.leaders.none import NoLease

        return NoLease()
    if scheme == "file":
        from beatd.leaders.file import FileLease

        return FileLease(Path(url.removeprefix("file:").removeprefix("//")))
    if scheme.split("+")[0] in SQL:
        from beatd.leaders.databases import sql_lease

        return sql_lease(url)
    if scheme in REDIS:
        from beatd.leaders.redis import RedisLease

        return RedisLease(url, prefix=prefix)
    raise ConfigError(f"lock.url: {scheme[:40]!r} names no lock; known are {', '.join(LOCKS)}")


def open_dispatch(
    store: Store, publisher: "Publisher", *, clock: Clock, tell: "Observer"
) -> "Dispatch":
    """Return the atomic dispatch if ledger and broker are the same Redis, else the one in steps."""
    from beatd.engine.dispatch import InSteps
    from beatd.engine.dispatch_atomic import AtOnce

    if on_one_redis(store, publisher):
        return AtOnce(
            ledger=cast(Any, store), publisher=cast(Any, publisher), clock=clock, tell=tell
        )
    return InSteps(ledger=store, publisher=publisher, clock=clock, tell=tell)


def on_one_redis(store: Store, publisher: "Publisher") -> bool:
    """True if ledger and broker are the same database of the same Redis."""
    identity, server = getattr(store, "identity", None), getattr(publisher, "server", None)
    if identity is None or server is None:
        return False
    here = identity()
    return here is not None and here == server()


def own_holder(name: str, since: datetime) -> Holder:
    """Return a holder for this process; without a name it is called HOST:PID."""
    host = socket.gethostname()
    return Holder(name or f"{host}:{os.getpid()}", host, os.getpid(), since, token_hex(8))
