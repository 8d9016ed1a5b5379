"""A fresh database for each test, by its URL; a conftest that imports these has them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pymysql
import pytest

Server = Callable[[str], tuple[str, int]]


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path / 'beatd.db'}"


@pytest.fixture
def postgresql_url(server: Server) -> Iterator[str]:
    host, port = server("postgresql")
    schema = f"test_{uuid4().hex}"
    place = f"postgresql://postgres@{host}:{port}/test"
    with psycopg.connect(place, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
        yield f"{place}?options={quote(f'-csearch_path={schema}')}"
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def mariadb_url(server: Server) -> Iterator[str]:
    host, port = server("mariadb")
    name = f"test_{uuid4().hex}"
    admin = pymysql.connect(host=host, port=port, user="root", autocommit=True)
    try:
        admin.query(f"CREATE DATABASE {name}")
        yield f"mysql://root@{host}:{port}/{name}"
        admin.query(f"DROP DATABASE {name}")
    finally:
        admin.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found
