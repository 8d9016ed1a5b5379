"""A lease in a SQLite file: what only a file can suffer."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from beatd.errors import StoreError
from beatd.leaders.databases import sql_lease
from tests.leaders.holders import LONG, holder

WRITE = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN IMMEDIATE")
"""


def test_a_lease_keeps_the_locks_that_this_process_has_on_the_file(tmp_path: Path) -> None:
    """POSIX drops all locks of a process on a file when the process closes any handle of it."""
    path = tmp_path / "beatd.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("CREATE TABLE ours (name TEXT)")
        lease = sql_lease(f"sqlite:///{path}")
        lease.take(holder("one"), LONG)
        store.execute("BEGIN IMMEDIATE")
        other = sql_lease(f"sqlite:///{path}")
        with pytest.raises(StoreError, match="locked"):
            other.take(holder("two"), 0.1)
        tried = subprocess.run([sys.executable, "-c", WRITE, path], capture_output=True, text=True)
        assert "database is locked" in tried.stderr
        lease.close()
        other.close()
