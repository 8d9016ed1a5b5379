"""SQLite keeps a value of any type in any column: such a value hides no other row."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.outcome import Delivery
from beatd.stores.sql import SqlStore
from beatd.stores.sqlite_quick_list import glance
from tests.stores.making import at, names, put_many, request_of
from tests.stores.sql.test_damaged_changes import execute


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec)) as store:
        yield store


@pytest.mark.parametrize("value", [b"\xff\x00", 5, 0.5])
def test_a_definition_of_another_type_hides_no_other_entry(store: SqlStore, value: Any) -> None:
    put_many(store, ["a", "b"])
    execute(store, "UPDATE beatd_entry SET definition = :value WHERE name = 'a'", value=value)
    assert names(store.find(Query())) == ["b"]
    assert any("entry 'a'" in line for line in store.problems())


@pytest.mark.parametrize(
    ("column", "value"), [("at", "x"), ("at", b"\xff"), ("task_id", b"\xff"), ("delivery", b"\xff")]
)
def test_old_reports_are_deleted_beside_one_of_another_type(
    store: SqlStore, column: str, value: Any
) -> None:
    told = [
        Delivery(
            task_id=f"run{n}", delivery="d", name="a", planned=at(0), state="received", at=at(0)
        )
        for n in range(3)
    ]
    store.write_outcomes(told, at(0))
    execute(
        store, f"UPDATE beatd_delivery SET {column} = :value WHERE task_id = 'run2'", value=value
    )
    store.forget(at(1000), 100)
    assert list(store.outcomes(["run0", "run1"])) == []


@pytest.mark.parametrize("column", ["id", "name", "kind"])
def test_a_request_of_another_type_hides_no_other_request(store: SqlStore, column: str) -> None:
    first, second = put_many(store, ["a", "b"])
    store.add_requests([request_of(first), request_of(second)])
    execute(store, f"UPDATE beatd_request SET {column} = :value WHERE name = 'a'", value=b"\xff")
    assert [request.name for request, _ in store.requests(10)] == ["b"]
    assert any("request" in line for line in store.problems())


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("entry", "source", b"\xff"),
        ("entry", "declared_at", b"\xff"),
        ("plan", "runs", "many"),
        ("plan", "runs", 0.5),
        ("plan", "revision", "first"),
        ("plan", "revision", b"\xff"),
    ],
)
def test_an_entry_with_a_value_of_another_type_is_unreadable(
    tmp_path: Path, store: SqlStore, table: str, column: str, value: Any
) -> None:
    put_many(store, ["a", "b"])
    execute(store, f"UPDATE beatd_{table} SET {column} = :value WHERE name = 'a'", value=value)
    assert names(store.find(Query())) == ["b"]
    assert any("entry 'a'" in line for line in store.problems())
    assert glance(tmp_path / "beatd.db", Query(), codec, 10) is None


@pytest.mark.parametrize(
    ("column", "value"), [("state", "unheard"), ("worker", b"\xff"), ("error", b"\xff")]
)
def test_a_report_with_an_odd_value_hides_no_other(
    store: SqlStore, column: str, value: Any
) -> None:
    told = [
        Delivery(
            task_id=f"run{n}", delivery="d", name="a", planned=at(0), state="received", at=at(0)
        )
        for n in range(2)
    ]
    store.write_outcomes(told, at(0))
    execute(
        store, f"UPDATE beatd_delivery SET {column} = :value WHERE task_id = 'run1'", value=value
    )
    assert list(store.outcomes(["run0", "run1"])) == ["run0"]
    assert any("run1" in line for line in store.problems())


def test_an_outcome_that_counts_no_number_is_left_out(store: SqlStore) -> None:
    put_many(store, ["a"])
    told = Delivery(task_id="run", delivery="d", name="a", planned=at(0), state="failed", at=at(0))
    store.write_outcomes([told], at(0))
    execute(store, "UPDATE beatd_entry_outcome SET failures = :value", value="many")
    assert store.entry_outcomes(None) == {}
    assert any("outcome of entry 'a'" in line for line in store.problems())
