"""Every test here can ask for a fresh database."""

from tests.databases import mariadb_url, postgresql_url, url

__all__ = ["mariadb_url", "postgresql_url", "url"]
