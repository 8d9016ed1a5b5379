"""Shelves that other programs wrote: damaged bytes of the file, and damaged values in it."""

import json
import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import BeatError
from beatd.stores.embedded.shelve import ShelveStore
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.reading import fill
from tests.fuzz.targets.sql_store import read_all

WORDS = (
    "bytes", "cut", "json", "pickle", "gone", "sub", "identity", "version", "term", "mark", "entry:bad", "plan:bad", "request:", "claim:", "record:",
    "running:bad", "outcome:bad", "delivery:", "incident:", "edit:1", "next-edit", "hex", "planned", "revision", "definition",
)  # fmt: skip


def _seeds() -> Iterator[bytes]:
    for place in (0, 16, 18, 28, 60, 100, 1000, 4096, 4100, 8192, 9000):
        yield json.dumps([["bytes", place, "00"], ["bytes", place + 1, "ffff"]]).encode()
    yield b'[["cut", 0]]'
    yield b'[["cut", 5000]]'
    for prefix in ("identity", "version", "term", "mark", "entry", "plan", "request", "claim", "record", "running", "outcome", "delivery", "incident", "edit", "next-edit"):  # fmt: skip
        yield json.dumps([["json", prefix, {"planned": 1}]]).encode()
        yield json.dumps([["json", prefix, [1, "a", None]]]).encode()
        yield json.dumps([["pickle", prefix, "80049500"]]).encode()
        yield json.dumps([["sub", prefix, "bad", "good"], ["sub", prefix, "2026", "9999"]]).encode()
        yield json.dumps(
            [["member", prefix, "planned", "x"], ["member", prefix, "revision", -1]]
        ).encode()
        yield json.dumps([["gone", prefix]]).encode()
    for prefix, member in (("identity", "namespace"), ("version", "number"), ("term", "number"), ("term", "holder"), ("plan", "planned"), ("claim", "claimed_at")):  # fmt: skip
        for value in ("x", -1, 2**70, None, []):
            yield json.dumps([["member", prefix, member, value]]).encode()


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    template, path = folder / "template", folder / "shelf"
    made = ShelveStore(template, codec=codec, clock=SystemClock())
    fill(made)
    made.close()
    with closing(sqlite3.connect(template)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode=DELETE")

    def call(data: bytes) -> str:
        for old in folder.glob("shelf*"):
            old.unlink()
        shutil.copyfile(template, path)
        done = _damage(path, data)
        store = ShelveStore(path, codec=codec, clock=SystemClock())
        try:
            return f"{done} {read_all(store)}"
        finally:
            with suppress(BeatError):
                store.close()

    yield call


def _damage(path: Path, data: bytes) -> int:
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return 0
    done = 0
    for change in changes[:20] if isinstance(changes, list) else []:
        with suppress(sqlite3.Error, ValueError, TypeError, OverflowError, AttributeError, KeyError, IndexError, StopIteration, ZeroDivisionError, pickle.PickleError):  # fmt: skip
            done += _change(path, *change)
    return done


def _change(path: Path, how: str, where: Any, *rest: Any) -> int:
    if how in ("bytes", "cut"):
        with path.open("r+b") as plain_file:
            place = plain_file.seek(int(where) % path.stat().st_size)
            if how == "cut":
                return plain_file.truncate(place) or 1
            return plain_file.write(bytes.fromhex(rest[0]))
    with closing(sqlite3.connect(path)) as file, file:
        rows = file.execute("SELECT key, value FROM Dict").fetchall()
        key, value = next((k, v) for k, v in rows if bytes(k).startswith(str(where).encode()))
        if how == "gone":
            return file.execute("DELETE FROM Dict WHERE key = ?", (key,)).rowcount
        fresh: Any = None
        if how == "json":
            fresh = pickle.dumps(rest[0])
        elif how == "pickle":
            fresh = bytes.fromhex(rest[0])
        elif how == "member":
            plain = pickle.loads(value)  # written by the store
            plain[rest[0]] = rest[1]
            fresh = pickle.dumps(plain)
        else:
            old, new = str(rest[0]).encode(), str(rest[1]).encode()
            fresh = value.replace(old, new[: len(old)].ljust(len(old)))
        done: int = file.execute("UPDATE Dict SET value = ? WHERE key = ?", (fresh, key)).rowcount
        return done


TARGETS = (
    Target(
        name="shelf", about="a shelf file with damaged bytes and values", seeds=_seeds,
        opened=_opened, words=WORDS, weight=200,
    ),
)  # fmt: skip
