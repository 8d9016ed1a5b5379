"""What an index tells is not looked for among all the rest."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from beatd.catalog import Query
from beatd.definition import codec
from beatd.stores.sql import SqlStore
from tests.databases import sqlite_url
from tests.stores.making import at, put


@pytest.mark.parametrize("order", ["name", "next"])
@pytest.mark.parametrize(
    "asked",
    [
        {"due_before": at(60)},
        {"source": "yaml:config"},
        {"enabled": False},
        {"name_like": "nightly-*"},
        {"name_like": "nightly"},
        {"due_before": at(60), "task_like": "*.report"},
    ],
    ids=str,
)
def test_no_row_of_the_plan_is_passed_by_in_search_of_few(
    tmp_path: Path, asked: dict[str, Any], order: Any
) -> None:
    store = SqlStore(sqlite_url(tmp_path), codec=codec)
    put(store)
    said: list[tuple[str, Any]] = []
    event.listen(
        store._db.engine, "before_cursor_execute", lambda *args: said.append((args[2], args[3]))
    )
    list(store.find(Query(order=order, **asked)))
    store.close()
    with closing(sqlite3.connect(tmp_path / "beatd.db")) as there:
        steps = [
            step
            for statement, words in said
            if statement.startswith("SELECT")
            for *_, step in there.execute(f"EXPLAIN QUERY PLAN {statement}", words)
        ]
    assert steps
    through_all = [step for step in steps if step.startswith("SCAN") and "json_each" not in step]
    # The index of what is stopped holds nothing else.
    assert [step for step in through_all if "beatd_plan_stopped" not in step] == []


def test_a_store_of_the_first_schema_gets_its_indexes(tmp_path: Path) -> None:
    SqlStore(sqlite_url(tmp_path), codec=codec).close()
    indexes = "SELECT name FROM sqlite_master WHERE name IN (?, ?)"
    ours = ("beatd_entry_source", "beatd_plan_stopped")
    with closing(sqlite3.connect(tmp_path / "beatd.db")) as there:
        for index in ours:
            there.execute(f"DROP INDEX {index}")
        there.execute("UPDATE beatd_ledger SET version = 1")
        there.commit()
        SqlStore(sqlite_url(tmp_path), codec=codec).close()
        assert len(there.execute(indexes, ours).fetchall()) == 2
