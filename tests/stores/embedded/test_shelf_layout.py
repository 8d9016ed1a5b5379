"""A shelf file that another program damaged: the error is one line."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import StoreError, StoreUnusable
from beatd.stores.embedded.shelve import ShelveStore


def test_a_table_whose_name_is_no_text_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "shelf"
    ShelveStore(path, codec=codec, clock=SystemClock()).close()
    data = path.read_bytes()
    assert data.count(b"tableDictDict") == 1
    damaged = data.replace(b"tableDictDict", b"table\xc1\xf0\xff\xdeDict")
    path.write_bytes(damaged)
    with pytest.raises(StoreUnusable, match="is damaged; restore a copy of it"):
        ShelveStore(path, codec=codec, clock=SystemClock())
    assert path.read_bytes() == damaged


def test_a_key_that_is_no_text_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "shelf"
    ShelveStore(path, codec=codec, clock=SystemClock()).close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("INSERT INTO Dict VALUES (CAST(X'610A62FF' AS TEXT), X'00')")
    with pytest.raises(StoreError) as refused:
        ShelveStore(path, codec=codec, clock=SystemClock())
    assert len(str(refused.value).splitlines()) == 1
    assert "Could not decode to UTF-8" in str(refused.value)
