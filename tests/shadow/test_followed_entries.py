"""The entries that a shadow follows."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from celery import Celery

from beatd.clock import SystemClock
from beatd.config import Config, Store
from beatd.shadow.followed_entries import followed_entries
from beatd.shadow.saved_tally import SavedTally


@pytest.mark.parametrize("tables", ["", "CREATE TABLE users (id INTEGER)"])
def test_a_store_that_does_not_exist_yet_is_not_created(tmp_path: Path, tables: str) -> None:
    path = tmp_path / "followed.db"
    if tables:
        with closing(sqlite3.connect(path)) as other:
            other.executescript(tables)
    config, clock = Config(store=Store(url=f"sqlite:///{path}")), SystemClock()
    app = Celery("followed", broker="memory://", set_as_current=False)
    _, close = followed_entries(config, clock, app, SavedTally(tmp_path / "tally", clock))
    close()
    assert path.exists() == bool(tables)
    if tables:
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)]
