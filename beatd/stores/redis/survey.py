"""Read facts about a Redis that is used as store, lock or broker, without changing it."""

from contextlib import suppress
from datetime import datetime
from secrets import token_hex
from typing import Any

from redis.exceptions import RedisError

from beatd.clock import Clock
from beatd.errors import StoreError
from beatd.run import moment_of
from beatd.servers.redis import RedisServer
from beatd.stores.store_facts import StoreFacts, host_ahead_s

TRIED_KEY_MS = 1000  # after which Redis itself deletes the key that tried a write
SHOWN = (
    "appendfsync",
    "save",
    "maxmemory-policy",
    "maxmemory",
)


def survey(url: str, *, prefix: str, timeout: float, clock: Clock) -> StoreFacts:
    """Return facts about the Redis at this URL and the store under `prefix` in it.

    A write is tried with a key of its own, which is deleted at once. Raises StoreError if Redis
    does not answer.
    """
    server = RedisServer(url, timeout=timeout)
    base = f"{prefix}{{0}}:"
    try:
        with server.answering():
            options = _node(server, base)
            info = server.client.info(**options)
            ahead_s = host_ahead_s(clock, lambda: _time(server, options))
            exists = bool(server.client.exists(f"{base}namespace"))
        settings = {name: str(value) for name, value in info.items() if not isinstance(value, dict)}
        with suppress(RedisError):  # a hosted Redis often refuses CONFIG
            for name in SHOWN:
                found = server.client.config_get(name, **options)
                settings |= {key: str(value) for key, value in found.items()}
        return StoreFacts(
            kind="redis",
            place=server.place,
            version=str(info["redis_version"]),
            exists=exists,
            refusal=_refusal(server, f"{base}doctor:{token_hex(8)}"),
            settings=settings,
            host_ahead_s=ahead_s,
        )
    finally:
        server.close()


def _node(server: RedisServer, base: str) -> dict[str, Any]:
    # In a Cluster, the node that has the keys of the store.
    if not server.is_cluster:
        return {}
    slot = server.client.keyslot(base)
    return {"target_nodes": server.client.nodes_manager.get_node_from_slot(slot)}


def _time(server: RedisServer, options: dict[str, Any]) -> datetime:
    seconds, micros = server.client.time(**options)
    return moment_of(int(seconds) * 1_000_000 + int(micros))


def _refusal(server: RedisServer, key: str) -> str:
    try:
        with server.answering():
            server.client.set(key, b"", px=TRIED_KEY_MS)
            server.client.delete(key)
    except StoreError as error:
        return str(error)
    return ""
