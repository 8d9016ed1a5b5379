"""Open the store, lock or dispatch that a URL names, and import only the class it needs.

No other module names these classes.
"""

import os
import socket
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Literal

from beatd.clock import Clock
from beatd.config.schemes import DJANGO, LOCKS, REDIS, SQL, STORES, scheme_of
from beatd.config.url_options import refuse_unknown_options
from beatd.errors import ConfigError, StoreAbsent
from beatd.leader import Holder, Lease
from beatd.ledger import HoldingLedger
from beatd.store import Store

if TYPE_CHECKING:
    from beatd.catalog import Codec
    from beatd.dispatch import Dispatch
    from beatd.ledger import AtomicLedger, Claims
    from beatd.publisher import Publisher, RedisPublisher
    from beatd.stores.django import DjangoStore
    from beatd.stores.store_facts import StoreFacts

# What to do if a file or database has no store yet: create it, raise StoreAbsent, or use an empty
# store in memory.
IfAbsent = Literal["create", "refuse", "empty"]


def open_store(
    url: str,
    *,
    codec: "Codec",
    clock: Clock,
    prefix: str = "beatd:",
    timeout: float = 2.0,
    if_absent: IfAbsent = "create",
) -> Store:
    """Open the store that a URL names, and return it.

    `codec` converts entries to the stored form and back; `clock` provides the time. `prefix` begins
    every key in Redis. `timeout` is in seconds, and is used only for databases. `if_absent` says
    what to do if there is no store yet; Redis needs no such preparation.

    Raises StoreError if the store cannot be reached now, StoreUnusable if waiting would not help,
    and ConfigError if the URL names no store or has an unknown option.
    """
    try:
        return _opened(url, codec, clock, prefix, timeout, create=if_absent == "create")
    except StoreAbsent:
        if if_absent == "refuse":
            raise
        from beatd.stores.embedded.memory import MemoryStore

        return MemoryStore(codec=codec, clock=clock)


def _opened(
    url: str, codec: "Codec", clock: Clock, prefix: str, timeout: float, *, create: bool
) -> Store:
    scheme = scheme_of(url)
    refuse_options("store", url)
    if scheme == "memory":
        from beatd.stores.embedded.memory import MemoryStore

        return MemoryStore(codec=codec, clock=clock)
    if not create:
        from beatd.stores.absent_file import refuse_absent_file

        refuse_absent_file(url.removeprefix(DJANGO))
    if scheme == "shelve":
        from beatd.stores.embedded.shelve import ShelveStore

        return ShelveStore(Path(url.removeprefix("shelve:")), codec=codec, clock=clock)
    if scheme.split("+")[0] in SQL:
        from beatd.stores.sql import SqlStore

        return SqlStore(url, codec=codec, timeout=timeout, create=create)
    if url.startswith(DJANGO):
        return open_django_store(url, codec=codec, timeout=timeout, create=create)
    if scheme in REDIS:
        from beatd.stores.redis import RedisStore

        return RedisStore(url, codec=codec, prefix=prefix)
    # Not the URL: it may hold a password.
    known = ", ".join((*STORES, f"{DJANGO}URL"))
    raise ConfigError(f"store.url: {scheme[:40]!r} names no store; known are {known}")


def open_django_store(
    url: str, *, codec: "Codec", timeout: float = 2.0, create: bool = True
) -> "DjangoStore":
    """Open the store in the database of django-celery-beat, and return it.

    Without `create`, raise StoreAbsent if the database has no tables of beatd. Raises the same
    errors as `open_store`.
    """
    from beatd.stores.django import DjangoStore

    refuse_options("store", url)
    return DjangoStore(url, codec=codec, timeout=timeout, create=create)


def refuse_options(section: str, url: str) -> None:
    """Raise ConfigError if the URL has an option that its driver does not know.

    `section` is "store" or "lock", the section of the configuration that the error shows.
    """
    try:
        refuse_unknown_options(section, url)
    except ConfigError as error:
        raise ConfigError(f"{section}.url: {error}") from None


def store_facts(
    url: str, *, clock: Clock, prefix: str = "beatd:", timeout: float = 2.0
) -> "StoreFacts | None":
    """Read facts about the store or lock at a URL and its server, without creating anything.

    Return None for a kind that has no server and no settings: memory, shelve and lock files.
    Raises the same errors as `open_store`, and StoreAbsent if a file does not exist yet.
    """
    from beatd.stores.absent_file import refuse_absent_file

    url = url.removeprefix(DJANGO)
    scheme = scheme_of(url)
    refuse_absent_file(url)
    if scheme in REDIS:
        from beatd.stores.redis.survey import survey as survey_redis

        return survey_redis(url, prefix=prefix, timeout=timeout, clock=clock)
    if scheme.split("+")[0] in SQL:
        from beatd.stores.sql.survey import survey as survey_sql

        return survey_sql(url, timeout=timeout, clock=clock)
    return None


def open_lease(url: str, *, prefix: str = "beatd:") -> Lease:
    """Return the leader's lock that a URL names.

    `prefix` begins the key of the lock in Redis. Raises the same errors as `open_store`.
    """
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


def open_dispatch(claims: "Claims", publisher: "Publisher", *, clock: Clock) -> "Dispatch":
    """Return the dispatch: the object that claims runs, publishes them and records the results.

    If store and broker are on the same Redis server, one atomic Redis script does all three.
    Otherwise they are separate steps.
    """
    from beatd.dispatches.atomic_dispatch import AtomicDispatch
    from beatd.dispatches.step_dispatch import StepDispatch

    one = on_one_redis(claims, publisher)
    if one is not None:
        return AtomicDispatch(ledger=one[0], publisher=one[1], clock=clock)
    hold = claims.hold if isinstance(claims, HoldingLedger) else None
    return StepDispatch(ledger=claims, publisher=publisher, clock=clock, hold=hold)


def on_one_redis(
    claims: "Claims", publisher: "Publisher"
) -> "tuple[AtomicLedger, RedisPublisher] | None":
    """Return the store and the publisher if both use the same Redis server, else None."""
    ledger, pusher = claims.atomic(), publisher.on_redis()
    if ledger is None or pusher is None:
        return None
    here = ledger.server()
    return (ledger, pusher) if here is not None and here == pusher.server() else None


def own_holder(name: str, since: datetime) -> Holder:
    """Return the identity of this process, under which it holds the leader's lock.

    `since` is the start of this process. An empty `name` becomes HOST:PID.
    """
    host = socket.gethostname()
    return Holder(name or f"{host}:{os.getpid()}", host, os.getpid(), since, token_hex(8))
