"""Rows of a SQLite store that other programs wrote."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import BeatError, StoreError
from beatd.stores.sqlite_quick_list import glance
from tests.fuzz.target import Call, CallMany, Target
from tests.fuzz.targets.reading import (
    NAMES,
    Named,
    reads,
    reads_of,
    reads_of_all,
    writes,
    writes_of,
    writes_of_all,
)
from tests.fuzz.targets.sql_damage import COLUMNS, damages, made
from tests.fuzz.targets.sql_many import store_of_many
from tests.fuzz.targets.sql_reach import Reached, read_together, tables_reached
from tests.fuzz.targets.sql_renewed import damaged_store
from tests.stores.making import lead

MANY = 80  # inputs in one store
#: Tables whose rows `glance` decodes.
GLANCED = {"entry", "plan", "running", "pause", "entry_outcome", "history", "delivery"}


@contextmanager
def _opened(folder: Path) -> Iterator[Call]:
    with damaged_store(folder) as damaged:

        def call(data: bytes) -> str:
            store, done = damaged(data)
            glance(folder / "beatd.db", Query(), codec, 100)
            return read_all(store) + done

        yield call


@contextmanager
def _opened_many(folder: Path) -> Iterator[CallMany]:
    path = folder / "many.db"
    with store_of_many(path, MANY) as damaged:
        reached = tables_reached(damaged(()).store, [f"{name}0" for name in NAMES])
        together = read_together(reached)

        def call(inputs: Sequence[bytes]) -> Sequence[bytes]:
            found = damaged(inputs)
            for name in (one for one, tables in found.tables.items() if tables & GLANCED):
                glance(path, Query(name_like=name), codec, 100 * MANY)
            found.remove_rest(together)
            said = read_touched(found.store, found.tables, reached)
            refused = [word for word in said.split() if "!" in word and ":" not in word]
            if refused:
                raise StoreError(f"refused, so that not all rows were reached: {refused}")
            return found.alone

        yield call


def read_all(store: Any, names: Sequence[str] = NAMES, times: int = 1) -> str:
    """Read everything and write some; only errors of the store may be raised."""
    return _called([*reads(store, names, times), *writes(store, names, times)])


def read_touched(store: Any, tables: Mapping[str, set[str]], reached: Reached) -> str:
    """Read and write as `read_all`, but for an entry only what reaches one of its `tables`."""

    def touched(calls: Named) -> list[tuple[str, Callable[[], Any]]]:
        kept = []
        for label, call in calls:
            what, _, name = label.partition(":")
            if tables[name] & reached[what]:
                kept.append((label, call))
        return kept

    term = cache(partial(lead, store))
    claimed = [name for name in tables if tables[name] & reached["claim"]]
    return _called(
        [
            *reads_of_all(store, list(tables), MANY),
            *(one for name in tables for one in touched(reads_of(store, name))),
            *(one for name in tables for one in touched(writes_of(store, name, term))),
            *writes_of_all(store, claimed, MANY),
        ]
    )


def _called(calls: Iterable[tuple[str, Callable[[], Any]]]) -> str:
    said = []
    for name, call in calls:
        try:
            found = call()
            said.append(str(len(found)) if isinstance(found, list | dict | tuple) else "")
        except (BeatError, AssertionError) as error:
            said.append(f"{name}!{type(error).__name__}")
    return " ".join(said)


TARGETS = (
    Target(
        name="sql", about="rows of a SQLite store that other programs wrote", seeds=damages,
        opened=_opened, weight=200, made=made, opened_many=_opened_many, many=MANY,
        words=("set", "sub", "gone", *COLUMNS, *{c for cs in COLUMNS.values() for c in cs.split()}),
    ),
)  # fmt: skip
