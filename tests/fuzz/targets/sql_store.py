"""Rows of a SQLite store that other programs wrote."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import BeatError, StoreError
from beatd.stores.sql import SqlStore
from beatd.stores.sqlite_quick_list import glance
from tests.fuzz.target import Call, CallMany, Target
from tests.fuzz.targets.reading import NAMES, fill, reads, writes
from tests.fuzz.targets.sql_damage import (
    COLUMNS,
    OF_ENTRIES,
    WRONG,
    change_row,
    damage,
    damages,
    key_of,
    made,
)

REOPENED_EACH = 100
MANY = 40  # inputs in one store


@contextmanager
def damaged_store(folder: Path) -> Iterator[Callable[[bytes], tuple[SqlStore, str]]]:
    """Yield a function that returns a store which has the changes of an input, and their number."""
    path = folder / "beatd.db"
    made_one = SqlStore(f"sqlite:///{path}", codec=codec)
    fill(made_one)
    made_one.close()
    with _renewed(path) as renew:

        def damaged(data: bytes) -> tuple[SqlStore, str]:
            store, file = renew()
            return store, damage(file, data)

        yield damaged


@contextmanager
def _renewed(path: Path) -> Iterator[Callable[[], tuple[SqlStore, sqlite3.Connection]]]:
    # Yields a function that makes the file as it was, and returns the store and the file.
    with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(":memory:")) as template:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.backup(template)
        file.execute("PRAGMA synchronous=OFF")
        count, store = 0, SqlStore(f"sqlite:///{path}", codec=codec)

        def renew() -> tuple[SqlStore, sqlite3.Connection]:
            nonlocal count, store
            count += 1
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


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    with damaged_store(folder) as damaged:

        def call(data: bytes) -> str:
            store, done = damaged(data)
            glance(folder / "beatd.db", Query(), codec, 100)
            return read_all(store) + done

        yield call


@contextmanager
def _opened_many(folder: Path) -> Iterator[CallMany]:
    path = folder / "many.db"
    made_one = SqlStore(f"sqlite:///{path}", codec=codec)
    sets, rows = [[f"{name}{number}" for name in NAMES] for number in range(MANY)], []
    with closing(sqlite3.connect(path)) as file:
        before = _rows(file)
        for names in sets:
            fill(made_one, names)
            after = _rows(file)
            rows.append({table: sorted(after[table] - before[table]) for table in after})
            before = after
    made_one.close()
    with _renewed(path) as renew:

        def call(inputs: Sequence[bytes]) -> Sequence[bytes]:
            store, file = renew()
            alone, names = [], list[str]()
            for place, data in enumerate(inputs):
                touched = _damaged(file, data, rows[place], sets[place])
                if touched is None:
                    alone.append(data)
                else:
                    names += sorted(touched)
            file.commit()
            glance(path, Query(), codec, 100 * MANY)
            said = read_all(store, names, MANY)
            if any("!" in word and ":" not in word for word in said.split()):
                raise StoreError(f"a read was refused, so that it did not reach all rows: {said}")
            return alone

        yield call


def _rows(file: sqlite3.Connection) -> dict[str, set[tuple[Any, ...]]]:
    return {
        table: set(file.execute(f"SELECT {key_of(table)} FROM beatd_{table}"))
        for table in OF_ENTRIES
    }


def _damaged(
    file: sqlite3.Connection, data: bytes, rows: dict[str, list[tuple[Any, ...]]], names: list[str]
) -> set[str] | None:
    # The entries whose rows the input changed. None if it has to be called alone: it changes what
    # all entries share, or it writes the key that a row has already, perhaps from another input.
    own = dict(zip(NAMES, names, strict=True))
    touched = set[str]()

    def where(table: str, place: int) -> tuple[str, tuple[Any, ...]]:
        key = rows[table][place]
        return f"({key_of(table)}) = ({', '.join('?' * len(key))})", key

    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return touched  # as alone: it changes nothing
    for change in changes if isinstance(changes, list) else []:
        try:
            how, table, place, *rest = change
            if how not in ("set", "sub", "gone") or table not in OF_ENTRIES:
                return None
            place %= 3
            if place < len(rows[table]):
                touched |= _owners(file, table, where(table, place), names)
                if how == "set" and isinstance(rest[1], str):
                    rest[1] = own.get(rest[1], rest[1])
                change_row(file, where, how, table, place, *rest)
        except (sqlite3.Error, *WRONG) as error:
            if "UNIQUE" in str(error):
                return None
    return touched


def _owners(
    file: sqlite3.Connection, table: str, row: tuple[str, tuple[Any, ...]], names: list[str]
) -> set[str]:
    if "name" not in COLUMNS[table].split():
        return set(names)
    found = file.execute(f"SELECT name FROM beatd_{table} WHERE {row[0]}", row[1]).fetchall()
    return {name for (name,) in found if name in names} or set(names)


def read_all(store: Any, names: Sequence[str] = NAMES, times: int = 1) -> str:
    """Read everything and write some; only errors of the store may be raised."""
    said = []
    for name, read in (*reads(store, names, times), *writes(store, names, times)):
        try:
            found = read()
            said.append(str(len(found)) if isinstance(found, list | dict | tuple) else "")
        except StoreError as error:
            said.append(f"{name}!{type(error).__name__}")
        except (BeatError, AssertionError) as error:
            said.append(f"{name}!{type(error).__name__}")
    return " ".join(said)


TARGETS = (
    Target(
        name="sql", about="rows of a SQLite store that other programs wrote", seeds=damages,
        opened=_opened, weight=200, made=made, opened_many=_opened_many, many=MANY,
        words=("set", "sub", "gone", *COLUMNS, *{c for cs in COLUMNS.values() for c in cs.split()}),
    ),
)  # fmt: skip
