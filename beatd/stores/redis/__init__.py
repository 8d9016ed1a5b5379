"""A store in Redis, which makes each batch of changes by one Lua script."""

from beatd.stores.redis.redis_store import RedisStore

__all__ = ["RedisStore"]
