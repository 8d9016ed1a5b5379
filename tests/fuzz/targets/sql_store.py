"""Rows of a SQLite store that other programs wrote."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import BeatError, StoreError
from beatd.stores.sql import SqlStore
from beatd.stores.sqlite_quick_list import glance
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.reading import fill, reads, writes

REOPENED_EACH = 100
#: Table and columns that hold more than a name.
COLUMNS = {
    "entry": "revision task source declared_at enabled paused definition name",
    "plan": "revision active planned due runs last fingerprint rules",
    "claim": "version claimed_at term unsent runs",
    "history": "planned at state reason task_id published late until count at_least term origin name",
    "request": "id kind first_at last_at revision name",
    "ledger": "term token holder namespace version serves",
    "applied": "loaded_at digest source",
    "daemon": "until presence",
    "delivery": "planned state at worker received started finished error live_since name",
    "entry_outcome": "failures successes last_success first newest",
    "running": "task_id since until waits",
    "incident": "kind opened revision closed open pending incident name",
    "change": "at record name",
    "pause": "until pause",
}


def damages() -> Iterator[bytes]:
    values = ["", "x", None, -1, 2**62, 1.5, 9e99, "[]", "{}", "null", {"hex": "ff00"}, "\ud800"]
    for place, (table, columns) in enumerate(COLUMNS.items()):
        for number, column in enumerate(columns.split()):
            value = values[(place + number) % len(values)]
            yield json.dumps([["set", table, number % 2, column, value]]).encode()
    for table, column, old, new in (
        ("entry", "definition", '"every"', '"cron"'), ("entry", "definition", "10s", "0s"), ("claim", "runs", "bad", "idle"), ("claim", "runs", "1", "9"),
        ("ledger", "holder", "42", '"x"'), ("daemon", "presence", "leader", "king"), ("delivery", "error", "E", "\n"), ("entry_outcome", "newest", "2026", "0001"),
        ("incident", "incident", "2026", "9999"), ("change", "record", "edited", "x"), ("change", "record", "2026", "-1"),
    ):  # fmt: skip
        yield json.dumps([["sub", table, 0, column, old, new]]).encode()
    for table in ("entry_outcome", "incident", "change", "pause", "daemon", "ledger"):
        for column in COLUMNS[table].split():
            yield json.dumps([["sub", table, 0, column, 'Z"', '"']]).encode()  # no offset
            yield json.dumps([["sub", table, 1, column, '"2026-', '"0001-']]).encode()
    for table in COLUMNS:
        yield json.dumps([["gone", table, 0]]).encode()
        yield json.dumps([["twice", table, 0]]).encode()


@contextmanager
def damaged_store(folder: Path) -> Iterator[Callable[[bytes], tuple[SqlStore, str]]]:
    """Yield a function that returns a store which has the changes of an input, and their number."""
    path = folder / "beatd.db"
    made = SqlStore(f"sqlite:///{path}", codec=codec)
    fill(made)
    made.close()
    with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(":memory:")) as template:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.backup(template)
        file.execute("PRAGMA synchronous=OFF")
        count, store = 0, SqlStore(f"sqlite:///{path}", codec=codec)

        def damaged(data: bytes) -> tuple[SqlStore, str]:
            nonlocal count, store
            count += 1
            template.backup(file)
            done = damage(file, data)
            if count % REOPENED_EACH == 0:
                store.close()
                store = SqlStore(f"sqlite:///{path}", codec=codec)
            store._reader.forget()
            return store, done

        try:
            yield damaged
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


def damage(file: sqlite3.Connection, data: bytes) -> str:
    """Carry out the changes that an input lists; return how many it made."""
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return " none"
    done = 0
    for change in changes if isinstance(changes, list) else []:
        with suppress(sqlite3.Error, ValueError, TypeError, OverflowError, AttributeError, IndexError):  # fmt: skip
            done += _change(file, *change)
    file.commit()  # also after a change that failed
    return f" {done}"


def _change(file: sqlite3.Connection, how: str, table: str, place: int, *rest: Any) -> int:
    if table not in COLUMNS:
        return 0
    row = f"rowid = (SELECT rowid FROM beatd_{table} LIMIT 1 OFFSET {int(place) % 3})"
    if how == "gone":
        return file.execute(f"DELETE FROM beatd_{table} WHERE {row}").rowcount
    if how == "twice":
        return file.execute(f"INSERT INTO beatd_{table} SELECT * FROM beatd_{table}").rowcount
    column = str(rest[0]).replace('"', "")
    if how == "sub":
        old, new = _value(rest[1]), _value(rest[2])
        what = f'UPDATE beatd_{table} SET "{column}" = replace("{column}", ?, ?) WHERE {row}'
        return file.execute(what, (old, new)).rowcount
    return file.execute(
        f'UPDATE beatd_{table} SET "{column}" = ? WHERE {row}', (_value(rest[1]),)
    ).rowcount


def _value(plain: Any) -> Any:
    if isinstance(plain, dict) and "hex" in plain:
        return bytes.fromhex(plain["hex"])
    if isinstance(plain, list | dict):
        return json.dumps(plain)
    return plain


def read_all(store: Any) -> str:
    """Read everything and write some; only errors of the store may be raised."""
    said = []
    for name, read in (*reads(store), *writes(store)):
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
        opened=_opened, weight=200,
        words=("set", "sub", "gone", *COLUMNS, *{c for cs in COLUMNS.values() for c in cs.split()}),
    ),
)  # fmt: skip
