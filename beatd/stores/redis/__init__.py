"""A store in Redis for entries, their next runs and their history. Each batch of changes runs as
one Lua script."""

from beatd.stores.redis.redis_store import RedisStore

__all__ = ["RedisStore"]
