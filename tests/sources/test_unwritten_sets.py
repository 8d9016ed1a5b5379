"""A declared set of which a part cannot be written, as over a damaged row."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.edits.apply_declared import ATTEMPTS_MAX, STALLED_MAX, Comparison, apply
from beatd.sources.declarations import UNWRITTEN_RETRY_S
from beatd.stores.embedded.memory import MemoryStore
from beatd.stores.sql import SqlStore
from tests.sources.declaring import Daemon, names
from tests.sources.lagging_reads import LaggingReads


def test_a_set_with_a_damaged_row_is_applied_again_soon_and_then_after_a_minute(
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
    assert applied == 2  # the second look, in case reads lagged
    assert [row.entry.name for row in store.find(Query())] == ["a", "c"]
    with sqlite3.connect(tmp_path / "beatd.db") as there:
        there.execute(right, (definition,))
    daemon.clock.advance(seconds=UNWRITTEN_RETRY_S)
    daemon.declaring(store, 1)
    daemon.look(store)
    assert applied == 3
    mark = store.marks.applied("yaml:config")
    assert mark is not None
    assert mark.whole
    store.close()


def test_a_set_that_was_compared_while_reads_lagged_is_applied_again_when_they_do_not(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    # Both entries are refused in each attempt; the last read that lags is before the last of them.
    refused = 2 * STALLED_MAX * ATTEMPTS_MAX
    lagging: Any = LaggingReads(store, refused_max=refused)
    daemon.declare("a", every="2m")
    daemon.look(store)
    daemon.declare("a", "b", every="2m")
    daemon.clock.advance(seconds=1)
    daemon.declaring(lagging, 1)
    daemon.clock.advance(seconds=1)
    daemon.declaring(lagging, 1)
    assert lagging.refused == refused
    assert names(store) == ["a"]
    daemon.clock.advance(seconds=1)
    daemon.declaring(lagging, 1)
    assert names(store) == ["a", "b"]
