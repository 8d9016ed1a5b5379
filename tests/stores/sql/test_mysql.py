"""What is asked of MySQL 8, where only MariaDB answers here: by the documents of both."""

import re
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects.mysql import pymysql
from sqlalchemy.dialects.mysql.reserved_words import RESERVED_WORDS_MARIADB, RESERVED_WORDS_MYSQL
from sqlalchemy.sql import ClauseElement

from beatd.definition import codec
from beatd.stores.sql import SqlStore
from beatd.stores.sql.claim import FENCE
from beatd.stores.sql.database import Database
from beatd.stores.sql.mysql import Mysql
from beatd.stores.sql.open_claims import DELETE, INSERT, UPDATE
from beatd.stores.sql.record import TOLD
from beatd.stores.sql.tables import metadata
from beatd.stores.sql.upcoming import later, soonest

MYSQL, MARIADB = "8.4.3", "5.5.5-10.11.6-MariaDB"


@pytest.fixture
def ours() -> Mysql:
    return Mysql(make_url("mysql://me@host/beat"), 2.0)


def dialect(version: str) -> Any:
    made = pymysql.dialect()
    made._set_mariadb("MariaDB" in version, (10, 11, 6))
    made.server_version_info = (10, 11, 6) if "MariaDB" in version else (8, 4, 3)
    made.supports_for_update_of = "MariaDB" not in version
    return made


class Unopened(SqlStore):
    """A store that has its statements ready and never opens its database."""

    def __init__(self, database: Database) -> None:
        super(SqlStore, self).__init__(database, codec)


def statements(ours: Mysql, version: str) -> list[str]:
    """Return the statements that a store prepares before it opens its database."""
    store = Unopened(Database(ours))
    parts = [store, store._move, store._claims, store._reader]
    made = [value for part in parts for value in vars(part).values()]
    made += [FENCE, DELETE, INSERT, UPDATE, TOLD, soonest(5), later(5), *store._removals]
    said = [
        str(one.compile(dialect=dialect(version)))
        for one in made
        if isinstance(one, ClauseElement)
        and one is not store._move._returning  # which is PostgreSQL's
    ]
    assert len(said) > 15
    return said


@pytest.mark.parametrize("version", [MYSQL, MARIADB])
def test_no_statement_has_what_one_of_the_two_does_not_know(ours: Mysql, version: str) -> None:
    for said in statements(ours, version):
        assert "RETURNING" not in said
        assert not re.search(r"UPDATE.* VALUES ?\(", said, re.DOTALL), "deprecated in MySQL 8"
        assert not re.search(r"\) AS new\b", said), "unknown to MariaDB"
        assert (" OF " in said) <= (version == MYSQL), said


def test_no_column_has_a_word_for_a_name_that_is_reserved() -> None:
    # Some statements are written here and not by SQLAlchemy, which would quote it.
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert not columns & (RESERVED_WORDS_MYSQL | RESERVED_WORDS_MARIADB)


@pytest.mark.parametrize(
    ("version", "collation"), [(MYSQL, "utf8mb4_0900_bin"), (MARIADB, "utf8mb4_nopad_bin")]
)
def test_names_are_told_apart_by_their_bytes_whatever_the_server_prefers(
    ours: Mysql, version: str, collation: str
) -> None:
    connection = Mock(dialect=dialect(version), scalar=lambda asked: version)
    ours.create(connection, metadata.tables.values())
    said = [call.args[0] for call in connection.exec_driver_sql.call_args_list]
    assert len(said) == len(metadata.tables)
    assert all(f"COLLATE={collation} " in one for one in said)
    assert "beatd_ledger" in said[-1]


@pytest.mark.parametrize("version", [MYSQL, MARIADB])
def test_a_session_gives_up_what_it_holds_and_sets_what_its_server_knows(
    ours: Mysql, version: str
) -> None:
    connection = MagicMock(server_version=version)
    ours._set_up(connection, None)
    cursor = connection.cursor.return_value.__enter__.return_value
    said = " ".join(call.args[0] for call in cursor.execute.call_args_list)
    theirs = {"idle_transaction_timeout", "max_statement_time"}
    others = {" wait_timeout", "max_execution_time"}
    wanted, unknown = (others, theirs) if version == MYSQL else (theirs, others)
    assert all(word in said for word in wanted)
    assert not any(word in said for word in unknown)


def test_the_name_of_a_lock_is_no_longer_than_mysql_takes() -> None:
    assert len(Mysql(make_url(f"mysql://me@host/{'n' * 64}"), 2.0)._lock_name(Mock())) <= 64
