"""A Redis db of these tests' own."""

from tests.publishers.conftest import redis_db, redis_url

__all__ = ["redis_db", "redis_url"]
