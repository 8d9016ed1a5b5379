"""Fresh databases, and the findings of a store as (level, subject, text)."""

from tests.databases import mariadb_url, postgresql_url, url

__all__ = ["mariadb_url", "postgresql_url", "url"]
