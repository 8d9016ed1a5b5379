"""An older schema is upgraded where it stands, and older programs go on working."""

from contextlib import closing

import pytest
from sqlalchemy import create_engine, text

from beatd.definition import codec
from beatd.errors import StoreUnusable
from beatd.stores.sql import SqlStore
from beatd.stores.sql.tables import CHANGE_TABLES, OUTCOME_TABLES
from tests.stores.changing import actions, add, go_on, pause_of, stop
from tests.stores.making import at, claimed, lead, past, put, row, told
from tests.stores.running_runs import delivery, put_queued, started
from tests.stores.test_incidents import incident

# What an older program writes: it knows no origin.
OLD_RECORD = (
    "INSERT INTO beatd_history (name, planned, at, state, reason, task_id, {count}, at_least, term)"
    " VALUES ('tidy', 0, 0, 'published', '', 'old', 1, 0, 1)"
)


def change(url: str, *statements: str) -> None:
    plain = url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
    engine = create_engine(plain)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


LATER_TABLES = (*OUTCOME_TABLES, *CHANGE_TABLES)


def make_old(url: str, *, dropped: int = len(LATER_TABLES)) -> None:
    """Leave a store as version 2 of the schema has it, with an entry and a record; or as an
    interrupted migration has left it, which made all but `dropped` tables."""
    with closing(SqlStore(url, codec=codec)) as store:
        run = claimed(store, put(store), lead(store))
        store.record([told(run)])
    change(
        url,
        *(f"DROP TABLE {table.name}" for table in LATER_TABLES[-dropped:]),
        "ALTER TABLE beatd_history DROP COLUMN origin",
        "UPDATE beatd_ledger SET version = 2",
    )


def uses_all(store: SqlStore) -> None:
    """Use each table of the newest schema once."""
    term = lead(store)
    run = started(store, put_queued(store, "queued"), term)
    assert row(store, "queued").running is not None
    store.record([told(run)])
    store.write_outcomes([delivery(run, "succeeded")], at(5))
    assert row(store, "queued").running is None
    assert store.entry_outcomes(None)["queued"].successes == 1
    assert len(store.outcomes([run.task_id])) == 1
    assert store.put_incidents([incident(0)]) == [True]
    uses_changes(store)


def uses_changes(store: SqlStore) -> None:
    add(store, "changed")
    stop(store, "changed", pause_of(60))
    assert row(store, "changed").pause == pause_of(60)
    assert actions(store, "changed") == [("changed", "added"), ("changed", "paused")]


@pytest.mark.parametrize("dropped", [1, 2, 3, len(LATER_TABLES)])
def test_an_older_schema_is_upgraded_and_keeps_its_rows(url: str, dropped: int) -> None:
    make_old(url, dropped=dropped)
    for _ in range(2):
        with closing(SqlStore(url, codec=codec)) as store:
            assert row(store).entry.name == "tidy"
            assert [(one.state, one.origin) for one in past(store)] == [("published", "planned")]
    with closing(SqlStore(url, codec=codec)) as store:
        uses_all(store)


@pytest.mark.parametrize("dropped", [1, len(CHANGE_TABLES)])
def test_a_schema_from_before_changes_is_upgraded(url: str, dropped: int) -> None:
    with closing(SqlStore(url, codec=codec)) as store:
        put(store)
        stop(store, author=None)
    change(
        url,
        *(f"DROP TABLE {table.name}" for table in CHANGE_TABLES[-dropped:]),
        "UPDATE beatd_ledger SET version = 3",
    )
    with closing(SqlStore(url, codec=codec)) as store:
        assert row(store).paused and row(store).pause is None
        assert actions(store) == []
        uses_changes(store)


def test_a_pause_that_an_older_program_ended_is_over(url: str) -> None:
    with closing(SqlStore(url, codec=codec)) as store:
        add(store)
        stop(store, pause=pause_of(60))
        change(url, "UPDATE beatd_entry SET paused = 0", "UPDATE beatd_plan SET active = 1")
        assert row(store).pause is None and not row(store).paused
        assert list(store.ending_pauses(at(61), 10)) == []
        stop(store)
        assert row(store).paused and row(store).pause is None
        go_on(store)
        assert [action for _, action in actions(store)] == ["added", "paused", "paused", "resumed"]


def test_what_an_older_program_writes_was_planned(url: str) -> None:
    with closing(SqlStore(url, codec=codec)) as store:
        put(store)
        quote = "`count`" if url.startswith("mysql") else '"count"'
        change(url, OLD_RECORD.format(count=quote))
        assert [(one.task_id, one.origin) for one in past(store)] == [("old", "planned")]
        uses_all(store)


def test_a_version_that_an_older_program_restored_is_corrected(url: str) -> None:
    with closing(SqlStore(url, codec=codec)) as store:
        uses_all(store)
    change(url, "UPDATE beatd_ledger SET version = 2")
    with closing(SqlStore(url, codec=codec)) as store:
        assert store.entry_outcomes(None)["queued"].successes == 1


def test_an_older_schema_that_lost_its_terms_is_upgraded(url: str) -> None:
    make_old(url)
    change(url, "DELETE FROM beatd_ledger")
    with closing(SqlStore(url, codec=codec)) as store:
        assert row(store).entry.name == "tidy" and store.losses()
        uses_all(store)


def test_a_table_of_another_program_stops_the_upgrade(url: str) -> None:
    make_old(url)
    change(url, "CREATE TABLE beatd_running (colour VARCHAR(20))")
    with pytest.raises(StoreUnusable, match="beatd_running exists and is not of beatd"):
        SqlStore(url, codec=codec)
    change(url, "DROP TABLE beatd_running")
    with closing(SqlStore(url, codec=codec)) as store:
        assert row(store).entry.name == "tidy"
