"""A fresh database, reached through PgBouncer in transaction mode and beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

import psycopg

Server = Callable[[str], tuple[str, int]]


class Urls(NamedTuple):
    pooled: str
    direct: str


@contextmanager
def database(server: Server) -> Iterator[Urls]:
    """A database and not a schema: PgBouncer passes no search_path on."""
    (host, port), (_, pgbouncer) = server("postgresql"), server("pgbouncer")
    name = f"pooled_{uuid4().hex[:12]}"
    place = f"postgresql://postgres@{host}"
    with psycopg.connect(f"{place}:{port}/test", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")  # the quicker without fsync
        try:
            yield Urls(f"{place}:{pgbouncer}/{name}", f"{place}:{port}/{name}")
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
