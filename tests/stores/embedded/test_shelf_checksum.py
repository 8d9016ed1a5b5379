"""A value of a shelf has a checksum behind its pickle, so that each damaged byte is noticed."""

import pickle
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.stores.embedded.shelve import ShelveStore
from tests.stores.making import put

KEY = b"entry:tidy"


def opened(path: Path) -> ShelveStore:
    return ShelveStore(path, codec=codec, clock=SystemClock())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = opened(tmp_path / "shelf")
    put(store)
    store.close()
    return tmp_path / "shelf"


def change(path: Path, changed: Callable[[bytes], bytes]) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        ((value,),) = file.execute("SELECT value FROM Dict WHERE key = ?", (KEY,))
        file.execute("UPDATE Dict SET value = ? WHERE key = ?", (changed(value), KEY))


def test_a_digit_that_changed_is_damage(path: Path) -> None:
    change(path, lambda value: value.replace(b"cli", b"clj"))
    store = opened(path)
    assert any("its checksum is another one" in problem for problem in store.problems())
    store.close()


def test_no_damaged_byte_lets_python_reserve_gigabytes(path: Path) -> None:
    # Python's unpickler makes room for all numbers up to the one behind this byte.
    far = b"\x80\x04Nr" + struct.pack("<I", 2**30) + b"."
    change(path, lambda value: far + value[-8:])
    store = opened(path)
    assert any("its checksum is another one" in problem for problem in store.problems())
    store.close()


def test_a_value_without_a_checksum_is_of_an_older_beatd(path: Path) -> None:
    change(path, lambda value: pickle.dumps(pickle.loads(value), 4))
    store = opened(path)
    assert [row.entry.name for row in store.upcoming(5)] == ["tidy"]
    assert store.problems() == []
    store.close()


def test_python_reads_a_value_with_its_checksum(path: Path) -> None:
    def read(value: bytes) -> bytes:
        assert pickle.loads(value)["name"] == "tidy"
        return value

    change(path, read)
    opened(path).close()
