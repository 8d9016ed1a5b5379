"""A SQLite file that is deleted, or another put in its place, under a store that has it open."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import Deposed, StoreError
from beatd.stores.sql import SqlStore
from tests.stores.making import at, lead, put, row, step


def opened(path: Path) -> SqlStore:
    return SqlStore(f"sqlite:///{path}", codec=codec)


def names(store: SqlStore) -> list[str]:
    return [row.entry.name for row in store.find(Query())]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "beatd.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = opened(path)
    put(store)
    yield store
    store.close()


def test_a_deleted_file_is_told_once_and_made_anew(store: SqlStore, path: Path) -> None:
    before = store.namespace
    path.unlink()
    with pytest.raises(StoreError, match="deleted or replaced"):
        store.version()
    assert names(store) == []
    assert store.namespace != before
    put(store, "other")
    beside = opened(path)
    assert names(beside) == ["other"]
    assert beside.namespace == store.namespace
    beside.close()


def test_a_file_put_in_its_place_is_read_from_then_on(store: SqlStore, path: Path) -> None:
    other = opened(path.with_name("backup.db"))
    put(other, "kept", every="9m")
    put(other, every="9m")  # of the same name and revision as the one in the first
    other.close()
    for end in ("-wal", "-shm"):  # or SQLite plays the old log into the other file
        path.with_name(f"beatd.db{end}").unlink()
    path.with_name("backup.db").rename(path)
    with pytest.raises(StoreError, match="deleted or replaced"):
        names(store)
    assert names(store) == ["kept", "tidy"]
    assert {str(row.entry.schedule.plain()["every"]) for row in store.find(Query())} == {"9m"}


def test_each_thread_is_told(store: SqlStore, path: Path) -> None:
    told: list[str] = []
    deleted = threading.Event()
    ready = threading.Barrier(3)

    def looks() -> None:
        store.version()
        ready.wait(100)
        deleted.wait(100)
        try:
            store.version()
        except StoreError as error:
            told.append(str(error))

    threads = [threading.Thread(target=looks) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready.wait(100)
    path.unlink()
    deleted.set()
    for thread in threads:
        thread.join()
    assert len(told) == 2


def test_a_term_of_the_deleted_file_claims_nothing(store: SqlStore, path: Path) -> None:
    term, stored = lead(store), row(store)
    path.unlink()
    with pytest.raises(StoreError):
        store.version()
    with pytest.raises(Deposed):
        store.claim([step(store, stored)], term, at(1))
    assert lead(store).token != term.token


def test_a_folder_that_is_gone_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    store = opened(folder / "beatd.db")
    folder.rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(StoreError):
            store.version()
    folder.mkdir()
    assert names(store) == []
    store.close()


def test_a_deleted_log_is_told_once_and_nothing_more_is_written_into_it(
    store: SqlStore, path: Path
) -> None:
    log = path.with_name("beatd.db-wal")
    log.unlink()
    with pytest.raises(StoreError, match="deleted or replaced"):
        store.version()
    put(store, "later")
    assert log.exists()
    beside = opened(path)
    assert names(beside) == names(store)
    assert "later" in names(beside)
    put(beside, "last")
    assert names(store) == names(beside)
    beside.close()


def test_a_log_that_the_last_process_took_away_is_no_loss(path: Path) -> None:
    first = opened(path)
    put(first)
    first.close()
    assert not path.with_name("beatd.db-wal").exists()
    store = opened(path)
    put(store, "other")
    beside = opened(path)
    put(beside, "third")
    beside.close()
    assert names(store) == ["other", "third", "tidy"]
    store.close()
