"""Keep the catalog and the ledger in Redis; each batch of changes runs as one Lua script."""

from beatd.stores.redis.redis_store import RedisStore

__all__ = ["RedisStore"]
