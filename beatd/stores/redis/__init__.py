"""Catalog and ledger in Redis, where a batch is one script."""

from beatd.stores.redis.redis_store import RedisStore

__all__ = ["RedisStore"]
