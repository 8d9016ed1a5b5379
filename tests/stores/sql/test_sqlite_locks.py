"""A SQLite store keeps its log while others come and go."""

import subprocess
import sys
import threading
from pathlib import Path

from beatd.catalog import Query
from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.edits.entry_change import added
from beatd.stores.sql import SqlStore

LOOK = """
import sqlite3, sys
there = sqlite3.connect(sys.argv[1])
there.execute("SELECT count(*) FROM beatd_entry").fetchone()
there.close()
"""


def test_a_program_that_leaves_does_not_take_the_log_away(tmp_path: Path) -> None:
    path = tmp_path / "beatd.db"
    store = SqlStore(f"sqlite:///{path}", codec=codec)
    # Several connections of one process at once, each opened after others hold their locks.
    every = threading.Barrier(4)

    def read() -> None:
        for _ in store.find(Query()):
            pass
        every.wait(100)
        for _ in store.find(Query()):
            pass

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = path.with_name("beatd.db-wal")
    before = log.stat().st_ino
    subprocess.run([sys.executable, "-c", LOOK, path], check=True, timeout=60)
    assert log.stat().st_ino == before
    entry = entry_from("a", {"task": "t", "every": "1m"})
    store.write([added(entry, SystemClock().now(), None)])
    other = SqlStore(f"sqlite:///{path}", codec=codec)
    assert [row.entry.name for row in other.find(Query())] == ["a"]
    other.close()
    store.close()
