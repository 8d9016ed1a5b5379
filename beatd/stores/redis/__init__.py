"""A store in Redis: entries, their next runs, claims and history. Each batch of changes runs as one
Lua script."""

from beatd.stores.redis.redis_store import RedisStore

__all__ = ["RedisStore"]
