"""One SQLite store that many inputs damage at once, each in rows of entries that are its own."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from beatd.definition import codec
from beatd.stores.sql import SqlStore
from tests.fuzz.targets.reading import NAMES, fill
from tests.fuzz.targets.sql_damage import COLUMNS, OF_ENTRIES, WRONG, change_row, key_of
from tests.fuzz.targets.sql_renewed import renewed

KINDS = (*NAMES, "daemon")
#: How many of each kind a store has for 100 inputs: most inputs touch one or two.
SHARES = {"bad": 75, "good": 75, "idle": 50, "daemon": 25}

Key = tuple[Any, ...]
#: Of the rows of each table, in their order: the kind that has it, and which of its rows it is.
Layout = dict[str, list[tuple[str, int]]]
#: The keys of the rows of each table that an entry, or a daemon, has.
Rows = dict[str, list[Key]]


class Damaged(Struct, frozen=True):
    """A store that some inputs damaged: the tables, by entry. `alone` are inputs left out of it."""

    store: SqlStore
    file: sqlite3.Connection
    owned: dict[str, list[Rows]]
    tables: dict[str, set[str]]
    alone: list[bytes]

    def remove_rest(self, together: Mapping[str, set[str]]) -> None:
        """Delete the rows that no read reaches together with a damaged row of their entry."""
        for table in OF_ENTRIES - {"daemon"}:
            names, keys = [], []
            for kind in NAMES:
                for place, rows in enumerate(self.owned[kind]):
                    name = f"{kind}{place}"
                    if not self.tables.get(name, set()) & together[table]:
                        names.append(name)
                        keys += rows[table]
            column = "name" if "name" in COLUMNS[table].split() else key_of(table)
            values = names if column == "name" else [key for (key,) in keys]
            # A row that got another name is damaged, and is not found by the name that it had.
            self.file.execute(
                f"DELETE FROM beatd_{table} WHERE {column} IN (SELECT value FROM json_each(?))",
                (json.dumps(values),),
            )
        self.file.commit()


Damage = Callable[[Sequence[bytes]], Damaged]


@contextmanager
def store_of_many(path: Path, many: int) -> Iterator[Damage]:
    """Yield a function that makes a store anew and damages it with up to `many` inputs."""
    owned = _filled(path, {kind: max(1, many * share // 100) for kind, share in SHARES.items()})
    layout = _layout(owned)
    with renewed(path) as renew:

        def damaged(inputs: Sequence[bytes]) -> Damaged:
            store, file = renew()
            free = {kind: set(range(len(rows))) for kind, rows in owned.items()}
            found = Damaged(store, file, owned, {}, [])
            file.execute("BEGIN")
            for data in inputs:
                one = _Input(data, layout)
                place = one.place(free)
                file.execute("SAVEPOINT input")
                touched = None if place is None else one.carry_out(file, place, owned)
                if touched is None:
                    file.execute("ROLLBACK TO input")
                    found.alone.append(data)
                else:
                    for name, tables in touched.items():
                        found.tables.setdefault(name, set()).update(tables)
            file.commit()
            return found

        yield damaged


class _Input:
    # The changes that an input lists, each with the rows and the kinds of entries that it touches.

    def __init__(self, data: bytes, layout: Layout) -> None:
        try:
            listed = json.loads(data)
        except (ValueError, RecursionError):
            listed = None  # as in a store of its own, it changes nothing
        changes = listed if isinstance(listed, list) else []
        self._changes = [
            (change, row, {row[0], *(name for name in NAMES if name in json.dumps(change[3:]))})
            for change in changes
            if (row := _row(change, layout)) is not None
        ]
        self._kinds = {kind for *_, kinds in self._changes for kind in kinds}
        self._is_of_all = any(isinstance(one, list) and one[1:2] == ["ledger"] for one in changes)

    def place(self, free: dict[str, set[int]]) -> int | None:
        """Return a number that is free for each of its kinds, which is then used, or None."""
        if self._is_of_all:
            return None
        if not self._kinds:
            return 0
        all_free = set.intersection(*(free[kind] for kind in self._kinds))
        if not all_free:
            return None
        place = max(all_free)  # kinds of which there are few have only low numbers
        for kind in self._kinds:
            free[kind].discard(place)
        return place

    def carry_out(
        self, file: sqlite3.Connection, place: int, owned: dict[str, list[Rows]]
    ) -> dict[str, set[str]] | None:
        """Change the rows of the entries with a number; return the changed tables of each.

        None if the input needs a store of its own: it writes a key that a row has already, perhaps
        from another input, or a text that makes SQLite refuse the whole table.
        """
        tables = dict[str, set[str]]()
        for (how, table, number, *rest), (kind, index), kinds in self._changes:
            if how == "twice":
                continue  # each table has a key, so that SQLite refuses it
            row = _with_key(table, owned[kind][place][table][index])
            own = [f"{one}{place}" if one in NAMES else one for one in rest]
            try:
                change_row(file, lambda *_, row=row: row, how, table, number, *own)
                if how == "sub":
                    _read(file, table, own[0], row)
            except (sqlite3.Error, *WRONG) as error:
                if "UNIQUE" in str(error) or "UTF-8" in str(error):
                    return None
            for touched in kinds - {"daemon"}:
                tables.setdefault(f"{touched}{place}", set()).add(table)
        return tables


def _row(change: Any, layout: Layout) -> tuple[str, int] | None:
    # The kind that has the row, and which of its rows it is.
    try:
        return layout[change[1]][int(change[2]) % 3]
    except (LookupError, *WRONG):
        return None


def _with_key(table: str, key: Key) -> tuple[str, Key]:
    return f"({key_of(table)}) = ({', '.join('?' * len(key))})", key


def _read(file: sqlite3.Connection, table: str, column: Any, row: tuple[str, Key]) -> None:
    named = str(column).replace('"', "")
    file.execute(f'SELECT "{named}" FROM beatd_{table} WHERE {row[0]}', row[1]).fetchall()


def _filled(path: Path, counts: dict[str, int]) -> dict[str, list[Rows]]:
    # Fill a store; return the rows of each kind, by number.
    owned: dict[str, list[Rows]] = {kind: [] for kind in KINDS}
    with (
        closing(SqlStore(f"sqlite:///{path}", codec=codec)) as store,
        closing(sqlite3.connect(path)) as file,
    ):
        before = _rows(file)
        for place in range(max(counts.values())):
            kinds = [kind for kind in KINDS if place < counts[kind]]
            fill(store, [f"{kind}{place}" for kind in kinds if kind in NAMES])
            if "daemon" not in kinds:  # the one that `fill` wrote is nobody's
                file.execute(
                    "DELETE FROM beatd_daemon WHERE token NOT IN (SELECT value FROM json_each(?))",
                    (json.dumps([key for (key,) in before["daemon"]]),),
                )
                file.commit()
            after = _rows(file)
            for kind in kinds:
                owned[kind].append(_owned(kind, f"{kind}{place}", before, after))
            before = after
    return owned


def _owned(kind: str, name: str, before: dict[str, Any], after: dict[str, Any]) -> Rows:
    return {
        table: sorted(
            key
            for key, row in rows.items()
            if key not in before[table]
            if (table == kind if table == "daemon" else f"'{name}'" in row or f'"{name}"' in row)
        )
        for table, rows in after.items()
    }


def _rows(file: sqlite3.Connection) -> dict[str, dict[Key, str]]:
    # Each row as a text, by its key.
    found = dict[str, dict[Key, str]]()
    for table in OF_ENTRIES:
        keys = file.execute(f"SELECT {key_of(table)} FROM beatd_{table}").fetchall()
        rows = file.execute(f"SELECT {key_of(table)}, * FROM beatd_{table}").fetchall()
        found[table] = {row[: len(keys[0])]: str(row) for row in rows} if keys else {}
    return found


def _layout(owned: dict[str, list[Rows]]) -> Layout:
    first = {kind: rows[0] for kind, rows in owned.items()}
    return {
        table: [
            (kind, index) for index in range(3) for kind in KINDS if index < len(first[kind][table])
        ]
        for table in OF_ENTRIES
    }
