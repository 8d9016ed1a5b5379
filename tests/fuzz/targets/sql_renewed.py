"""A SQLite store that is made anew for each input, and changed as the input says."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from beatd.definition import codec
from beatd.stores.sql import SqlStore
from tests.fuzz.targets.reading import fill
from tests.fuzz.targets.sql_damage import damage

REOPENED_EACH = 100


@contextmanager
def damaged_store(folder: Path) -> Iterator[Callable[[bytes], tuple[SqlStore, str]]]:
    """Yield a function that returns a store which has the changes of an input, and their number."""
    path = folder / "beatd.db"
    made_one = SqlStore(f"sqlite:///{path}", codec=codec)
    fill(made_one)
    made_one.close()
    with renewed(path) as renew:

        def damaged(data: bytes) -> tuple[SqlStore, str]:
            store, file = renew()
            return store, damage(file, data)

        yield damaged


@contextmanager
def renewed(path: Path) -> Iterator[Callable[[], tuple[SqlStore, sqlite3.Connection]]]:
    """Yield a function that makes the file as it was, and returns the store and the file."""
    with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(":memory:")) as template:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.backup(template)
        file.execute("PRAGMA synchronous=OFF")
        count, store = 0, SqlStore(f"sqlite:///{path}", codec=codec)

        def renew() -> tuple[SqlStore, sqlite3.Connection]:
            nonlocal count, store
            count += 1
            store._db.engine.dispose()  # a read that failed may still hold the rows as they were
            template.backup(file)
            if count % REOPENED_EACH == 0:
                store.close()
                store = SqlStore(f"sqlite:///{path}", codec=codec)
            store._reader.forget()
            return store, file

        try:
            yield renew
        finally:
            store.close()
