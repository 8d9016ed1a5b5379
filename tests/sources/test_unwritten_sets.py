"""A declared set of which a part cannot be written, as over a damaged row."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.edits.apply_declared import Comparison, apply
from beatd.sources.declarations import UNWRITTEN_RETRY_S
from beatd.stores.sql import SqlStore
from tests.sources.declaring import Daemon


def test_a_set_with_a_damaged_row_is_applied_again_once_a_minute(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'beatd.db'}", codec=codec)
    daemon.look(store)
    damaged = "UPDATE beatd_entry SET definition = '{' WHERE name = 'b'"
    right = "UPDATE beatd_entry SET definition = ? WHERE name = 'b'"
    with sqlite3.connect(tmp_path / "beatd.db") as there:
        (definition,) = there.execute("SELECT definition FROM beatd_entry").fetchone()
        there.execute(damaged)
    applied = 0

    def counted(*args: Any, **keys: Any) -> Comparison:
        nonlocal applied
        applied += 1
        return apply(*args, **keys)

    monkeypatch.setattr("beatd.sources.declarations.apply", counted)
    daemon.declare("a", "b", "c")
    for _ in range(int(UNWRITTEN_RETRY_S) - 10):
        daemon.clock.advance(seconds=1)
        daemon.declaring(store, 1)
    assert applied == 1
    assert [row.entry.name for row in store.find(Query())] == ["a", "c"]
    with sqlite3.connect(tmp_path / "beatd.db") as there:
        there.execute(right, (definition,))
    daemon.clock.advance(seconds=UNWRITTEN_RETRY_S)
    daemon.declaring(store, 1)
    daemon.look(store)
    assert applied == 2
    mark = store.marks.applied("yaml:config")
    assert mark is not None
    assert mark.whole
    store.close()
