"""A damaged record of a change, or a damaged pause, stands in the way of nothing."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from beatd.definition import codec
from beatd.presence import Presence
from beatd.stores.sql import SqlStore
from tests.stores.changing import BOB, actions, add, changes, go_on, pause_of, remove, stop
from tests.stores.making import at, claimed, holder, lead, put_many, row, told
from tests.stores.places import mariadb, postgresql, sqlite
from tests.stores.running_runs import delivery, second
from tests.stores.test_incidents import incident

TEXTS = ["", "garbage", "null", "[]", "{}", "5", '{"action": "added"}', "[" * 5000 + "]" * 5000]


@pytest.fixture(params=(sqlite, postgresql, mariadb), ids=lambda kind: kind.__name__)
def store(request: pytest.FixtureRequest, place_of: Any) -> Iterator[SqlStore]:
    with place_of(request.param) as open_one:
        yield open_one()


def execute(store: SqlStore, statement: str, **values: Any) -> None:
    with store._db.engine.begin() as connection:
        connection.execute(text(statement), values)


@pytest.mark.parametrize("garbage", TEXTS)
def test_a_damaged_record_is_left_out_and_named(store: SqlStore, garbage: str) -> None:
    for name in ("a", "b", "c"):
        add(store, name)
    execute(store, "UPDATE beatd_change SET record = :text WHERE name = 'b'", text=garbage)
    newest, oldest = changes(store)
    assert (newest.name, oldest.name) == ("c", "a")
    assert list(store.changes(None, 1, newest.id)) == [oldest]
    assert changes(store, "b") == []
    assert store.change(str(int(oldest.id) + 1)) is None
    assert any("beatd_change is damaged" in line for line in store.problems())
    remove(store, "b")
    assert actions(store, "b") == [("b", "removed")]


@pytest.mark.parametrize("moment", [-(2**62), 2**62])
def test_a_record_of_no_moment_is_left_out(store: SqlStore, moment: int) -> None:
    for name in ("a", "b"):
        add(store, name)
    execute(store, "UPDATE beatd_change SET at = :at WHERE name = 'b'", at=moment)
    assert [one.name for one in changes(store)] == ["a"]


def test_a_record_whose_moment_is_a_text_keeps_no_old_one(tmp_path: Path) -> None:
    with closing(SqlStore(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec)) as store:
        for name in ("a", "b", "c"):
            add(store, name)
        execute(store, "UPDATE beatd_change SET at = 'x' WHERE name = 'a'")
        execute(store, "UPDATE beatd_change SET at = 1 WHERE name = 'b'")
        assert store.forget_changes(at(-1000), 1000) == 1
        assert [one.name for one in changes(store)] == ["c"]


def test_a_record_of_history_whose_moment_is_a_text_hides_no_other(tmp_path: Path) -> None:
    with closing(SqlStore(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec)) as store:
        term = lead(store)
        for stored in put_many(store, ["a", "b"]):
            store.record([told(claimed(store, stored, term))])
            claimed(store, row(store, stored.entry.name), term, following=20)
        execute(store, "UPDATE beatd_history SET at = 'x' WHERE name = 'a'")
        execute(store, "UPDATE beatd_claim SET claimed_at = 'x' WHERE runs LIKE '%\"a\"%'")
        states = [(record.name, record.state) for record in store.history(None, None)]
        assert {("b", "published"), ("b", "claimed"), ("a", "published")} <= set(states)


@pytest.mark.parametrize("moment", ["9" * 30, "9" * 18])
def test_a_claim_of_a_moment_that_cannot_be_hides_no_history(store: SqlStore, moment: str) -> None:
    term = lead(store)
    for stored in put_many(store, ["a", "b"]):
        claimed(store, stored, term)
    with store._db.engine.begin() as connection:
        rows = connection.execute(text("SELECT id, runs FROM beatd_claim")).all()
    (batch, runs) = next((row.id, json.loads(row.runs)) for row in rows if '"a"' in row.runs)
    runs[0][1] = int(moment)
    execute(store, "UPDATE beatd_claim SET runs = :r WHERE id = :i", r=json.dumps(runs), i=batch)
    assert [record.name for record in store.history(None, None)] == ["b"]
    assert any("an open claim of entry" in line for line in store.problems())


def test_a_moment_without_an_offset_is_damage(store: SqlStore) -> None:
    term = lead(store)
    for stored in put_many(store, ["a", "b"]):
        run = claimed(store, stored, term)
        store.record([told(run)])
        store.write_outcomes([second(delivery(run), state="failed")], at(3))
        stop(store, stored.entry.name, pause_of(60))
        store.put_incidents([incident(name=stored.entry.name)])
        store.announce(Presence(holder(stored.entry.name), "leader", True, at(0)), 10**9)
    columns = {
        "incident": "incident",
        "pause": "pause",
        "entry_outcome": "newest",
        "change": "record",
    }
    for table, column in columns.items():
        naive = f"replace({column}, 'Z\"', '\"')"
        execute(store, f"UPDATE beatd_{table} SET {column} = {naive} WHERE name = 'a'")
    execute(store, "UPDATE beatd_daemon SET presence = replace(presence, 'Z\"', '\"')")
    assert [one.name for one in store.open_incidents()] == ["b"]
    assert row(store, "a").pause is None and row(store, "b").pause is not None
    assert list(store.entry_outcomes(None)) == ["b"]
    assert {one.name for one in changes(store)} == {"b"}
    assert list(store.daemons()) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("late", "x"), ("late", "9e999"), ("count", "x"), ("term", "x"), ("reason", b"x")],
)
def test_a_value_of_another_type_is_damage(tmp_path: Path, column: str, value: object) -> None:
    with closing(SqlStore(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec)) as store:
        term = lead(store)
        for stored in put_many(store, ["a", "b"]):
            store.record([told(claimed(store, stored, term))])
        execute(
            store, f"UPDATE beatd_history SET \"{column}\" = :value WHERE name = 'a'", value=value
        )
        execute(store, "UPDATE beatd_history SET late = 9e999 WHERE late = '9e999'")
        assert [record.name for record in store.history(None, None)] == ["b"]


def test_all_but_damaged_records_fill_a_page(store: SqlStore) -> None:
    for n in range(30):
        add(store, f"{n:02}")
    execute(store, "UPDATE beatd_change SET record = '' WHERE name BETWEEN '05' AND '26'")
    assert [one.name for one in store.changes(None, 4)] == ["29", "28", "27", "04"]


@pytest.mark.parametrize("garbage", TEXTS)
def test_a_damaged_pause_is_left_out_and_named(store: SqlStore, garbage: str) -> None:
    for name in ("a", "b"):
        add(store, name)
        stop(store, name, pause_of(60))
    execute(store, "UPDATE beatd_pause SET pause = :text WHERE name = 'b'", text=garbage)
    assert row(store, "a").pause == pause_of(60)
    assert row(store, "b").paused and row(store, "b").pause is None
    assert any("the pause of entry 'b' is damaged" in line for line in store.problems())
    assert list(store.ending_pauses(at(61), 10)) == ["a", "b"]
    stop(store, "b", pause_of(70), author=BOB)
    assert row(store, "b").pause == pause_of(70)
    execute(store, "UPDATE beatd_pause SET pause = :text WHERE name = 'b'", text=garbage)
    go_on(store, "b")
    assert [action for _, action in actions(store, "b")] == ["added", "paused", "paused", "resumed"]
