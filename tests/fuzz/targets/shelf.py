"""Shelves that other programs wrote: damaged bytes of the file, and damaged values in it."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import BeatError
from beatd.stores.embedded.shelve import ShelveStore
from tests.fuzz.target import Call, CallMany, Target
from tests.fuzz.targets.batches import OF_ENTRY, names_of, read_many
from tests.fuzz.targets.reading import NAMES, fill
from tests.fuzz.targets.shelf_damage import (
    HOW,
    OF_ENTRIES,
    SHARED,
    WRONG,
    Edits,
    Rows,
    change_file,
    changes_in,
    damages,
    edit,
    made,
)
from tests.fuzz.targets.sql_store import read_all

MANY = 40  # inputs in one shelf
WORDS = (
    *HOW, *OF_ENTRIES, *SHARED, "entry:bad", "plan:bad", "running:bad", "outcome:bad", "edit:1",
    "hex", "planned", "revision", "definition",
)  # fmt: skip


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    template, path = folder / "template", folder / "shelf"
    _fill(template, NAMES)
    _end_log(template)

    def call(data: bytes) -> str:
        _copy(template, path)
        done = _damage(path, data)
        store = _store(path)
        try:
            return f"{done} {read_all(store)}"
        finally:
            with suppress(BeatError):
                store.close()

    yield call


def _store(path: Path) -> ShelveStore:
    return ShelveStore(path, codec=codec, clock=SystemClock())


def _fill(path: Path, names: Sequence[str]) -> None:
    store = _store(path)
    fill(store, names)
    store.close()


def _end_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode=DELETE")


def _copy(template: Path, path: Path) -> None:
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    shutil.copyfile(template, path)


def _rows(path: Path) -> dict[bytes, bytes]:
    with closing(sqlite3.connect(path)) as file:
        return dict(file.execute("SELECT key, value FROM Dict ORDER BY rowid"))


def _damage(path: Path, data: bytes) -> int:
    done = 0
    for change in changes_in(data):
        with suppress(*WRONG):
            if change[0] in ("bytes", "cut"):
                change_file(path, *change)
            else:
                _write(path, edit(_rows(path), *change))
            done += 1
    return done


def _write(path: Path, edits: Edits) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        for key, value in edits.items():
            if value is None:
                file.execute("DELETE FROM Dict WHERE key = ?", (key,))
            else:
                file.execute(
                    "INSERT INTO Dict VALUES (?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (key, value),
                )


@contextmanager
def _opened_many(folder: Path) -> Iterator[CallMany]:
    template, path = folder / "template-of-many", folder / "many"
    sets, own, before = [names_of(number) for number in range(MANY)], [], dict[bytes, bytes]()
    for names in sets:
        if before:
            _write(template, {b"term": None})  # each has term 1, as the shelf of a single input
        _fill(template, names)
        rows = _rows(template)
        own.append({key: value for key, value in rows.items() if _is_new(key, before)})
        before = rows
    _end_log(template)

    def call(inputs: Sequence[bytes]) -> Sequence[bytes]:
        alone, edits, damaged = list[bytes](), Edits(), set[str]()
        for place, data in enumerate(inputs):
            found = _edits(rows, own[place], sets[place], data)
            if found is None:
                alone.append(data)
                continue
            edits.update(found)
            damaged |= _owners(own[place], found, sets[place])
        _copy(template, path)
        _write(path, edits)
        store = _store(path)
        try:
            read_many(store, dict.fromkeys(damaged, OF_ENTRY), MANY, all_of_each=True)
        finally:
            store.close()
        return alone

    yield call


def _is_new(key: bytes, before: Rows) -> bool:
    return key not in before and key.partition(b":")[0].decode() in OF_ENTRIES


def _edits(rows: Rows, own: Rows, names: Sequence[str], data: bytes) -> Edits | None:
    # None if the input has to be called alone: it changes the file, what all entries share, or the
    # row of another input.
    named = dict(zip(NAMES, names, strict=True))
    edits, now = Edits(), dict(own)
    for change in changes_in(data):
        with suppress(*WRONG):
            how, where, *rest = change
            prefix = where[0] if isinstance(where, list) else where
            if how in ("bytes", "cut") or not str(prefix).startswith(OF_ENTRIES):
                return None
            if how not in ("sub", "part"):
                rest = [_named(value, named) for value in rest]
            for key, value in edit(now, how, where, *rest).items():
                edits[key] = value
                now.pop(key, None)
                if value is not None:
                    now[key] = value
    return None if any(key in rows and key not in own for key in edits) else edits


def _named(value: Any, named: Mapping[str, str]) -> Any:
    return named.get(value, value) if isinstance(value, str) else value


def _owners(own: Rows, edits: Edits, names: Sequence[str]) -> set[str]:
    found = set[str]()
    for key, value in edits.items():
        text = b" ".join((key, own.get(key, b""), value or b""))
        found |= {name for name in names if name.encode() in text} or set(names)
    return found


TARGETS = (
    Target(
        name="shelf", about="a shelf file with damaged bytes and values", seeds=damages,
        opened=_opened, words=WORDS, weight=200, made=made, opened_many=_opened_many, many=MANY,
    ),
)  # fmt: skip
