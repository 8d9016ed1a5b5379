"""PostgreSQL tells of edits and requests at once; the others cannot, and say so."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import psycopg
import pytest

from beatd.catalog import Change
from beatd.definition import codec
from beatd.stores.sql import SqlStore
from tests.stores.making import at, lead, plan, put, request_of, run_of, step, told
from tests.stores.making import entry as entry_named


@pytest.fixture
def editor(postgresql_url: str) -> Iterator[SqlStore]:
    store = SqlStore(postgresql_url, codec=codec)
    yield store
    store.close()


@pytest.fixture
def woken(editor: SqlStore, postgresql_url: str) -> Iterator[Event]:
    """Set by what another process's store is told."""
    watcher, event = SqlStore(postgresql_url, codec=codec), Event()
    assert watcher.watch(event.set)
    # It wakes once when it begins to listen: what came before may have been missed.
    assert event.wait(60)
    event.clear()
    yield event
    watcher.close()


def test_an_edit_wakes_at_once(editor: SqlStore, woken: Event) -> None:
    put(editor)
    assert woken.wait(60)


def test_a_request_wakes_at_once(editor: SqlStore, woken: Event) -> None:
    stored = put(editor)
    assert woken.wait(60)
    woken.clear()
    editor.add_requests([request_of(stored)])
    assert woken.wait(60)


def test_claims_results_and_refused_edits_wake_nobody(editor: SqlStore, woken: Event) -> None:
    stored = put(editor)
    assert woken.wait(60)
    woken.clear()
    assert editor.claim([step(editor, stored)], lead(editor), at(0)) == [True]
    editor.record([told(run_of(editor, stored), "confirmed")])
    assert editor.write([Change("tidy", 0, entry_named(), plan(0))]) == [False]
    assert not woken.wait(0.2)


def test_a_store_in_another_schema_wakes_nobody(
    editor: SqlStore, woken: Event, postgresql_url: str
) -> None:
    place = postgresql_url.split("?")[0]
    with psycopg.connect(place, autocommit=True) as other:
        other.execute("SELECT pg_notify('beatd', 'another')")
    assert not woken.wait(0.2)


def test_a_watch_that_was_cut_listens_again(
    editor: SqlStore, woken: Event, postgresql_url: str
) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'beatd watch' AND pid <> pg_backend_pid()"
        )
    assert woken.wait(60), "it says that something may have been missed"
    woken.clear()
    put(editor)
    assert woken.wait(60)


@pytest.mark.parametrize("option", ["connect_timeout=7", "application_name=x", "keepalives_idle=9"])
def test_edits_are_told_whatever_the_url_sets_as_well(postgresql_url: str, option: str) -> None:
    store, event = SqlStore(f"{postgresql_url}&{option}", codec=codec), Event()
    assert store.watch(event.set)
    assert event.wait(60), "it listens"
    event.clear()
    put(store)
    assert event.wait(60)
    store.close()


def test_the_others_cannot_tell(tmp_path: Path, mariadb_url: str, postgresql_url: str) -> None:
    pooled = f"{postgresql_url}&pooler=transaction"
    for url in (f"sqlite:///{tmp_path / 'beatd.db'}", mariadb_url, pooled):
        store = SqlStore(url, codec=codec)
        assert not store.watch(lambda: None)
        put(store)
        store.close()
