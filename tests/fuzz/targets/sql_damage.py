"""Changes of the rows of a SQLite store, as an input lists them."""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from beatd.stores.sql.tables import metadata
from tests.fuzz.mutate import NUMBERS, STRANGE

#: Table and columns that hold more than a name.
COLUMNS = {
    "entry": "revision task source declared_at enabled paused definition name",
    "plan": "revision active planned due runs last fingerprint rules",
    "claim": "version claimed_at term unsent runs",
    "history": "planned at state reason task_id published late until count at_least term origin name",
    "request": "id kind first_at last_at revision name",
    "ledger": "term token holder namespace version serves",
    "applied": "loaded_at digest source",
    "daemon": "until presence",
    "delivery": "planned state at worker received started finished error live_since name",
    "entry_outcome": "failures successes last_success first newest",
    "running": "task_id since until waits",
    "incident": "kind opened revision closed open pending incident name",
    "change": "at record name",
    "pause": "until pause",
}


#: Tables of which each entry, or each daemon, has rows of its own.
OF_ENTRIES = COLUMNS.keys() - {"ledger"}
#: Parts of what the columns hold.
_PARTS = (
    *("bad", "good", "1", "0", "2", "2026", "-", ":", ",", "{", "}", "[", "]", '"', "T", "Z", "10s", "every", "task", "published", "failed"),
    *("started", "trigger", "cli", "mark", "digest", "edited", "ann", "because", "confirmed", "null", "true", "false", "E: x", "d", "p", "host", "42"),
)  # fmt: skip
_CELLS = (
    None, 0, 1, -1, 2, 2**31, 2**53 + 1, 2**62, -(2**63), 2**63 - 1, 0.5, -1.5, 1e308, 9e99, [], {}, [[]], [1, "a", None], {"a": 1}, {"every": "1s"},
    {"task": "t", "every": "1s"}, "\ud800", "x" * 300, "[" * 2000, "bad", "good", {"hex": ""}, {"hex": "00"}, {"hex": "ff00"}, {"hex": "c3"},
)  # fmt: skip


def damages() -> Iterator[bytes]:
    values = ["", "x", None, -1, 2**62, 1.5, 9e99, "[]", "{}", "null", {"hex": "ff00"}, "\ud800"]
    for place, (table, columns) in enumerate(COLUMNS.items()):
        for number, column in enumerate(columns.split()):
            value = values[(place + number) % len(values)]
            yield json.dumps([["set", table, number % 2, column, value]]).encode()
    for table, column, old, new in (
        ("entry", "definition", '"every"', '"cron"'), ("entry", "definition", "10s", "0s"), ("claim", "runs", "bad", "idle"), ("claim", "runs", "1", "9"),
        ("ledger", "holder", "42", '"x"'), ("daemon", "presence", "leader", "king"), ("delivery", "error", "E", "\n"), ("entry_outcome", "newest", "2026", "0001"),
        ("incident", "incident", "2026", "9999"), ("change", "record", "edited", "x"), ("change", "record", "2026", "-1"),
    ):  # fmt: skip
        yield json.dumps([["sub", table, 0, column, old, new]]).encode()
    for table in ("entry_outcome", "incident", "change", "pause", "daemon", "ledger"):
        for column in COLUMNS[table].split():
            yield json.dumps([["sub", table, 0, column, 'Z"', '"']]).encode()  # no offset
            yield json.dumps([["sub", table, 1, column, '"2026-', '"0001-']]).encode()
    for table in COLUMNS:
        yield json.dumps([["gone", table, 0]]).encode()
        yield json.dumps([["twice", table, 0]]).encode()


def made(rng: random.Random) -> bytes:
    """Return an input of one to three changes, nearly all of which find their row."""
    return json.dumps([_made(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]).encode()


def _made(rng: random.Random) -> list[Any]:
    table = rng.choice(list(COLUMNS))
    if table not in OF_ENTRIES and rng.random() < 0.9:
        table = rng.choice(sorted(OF_ENTRIES))  # the ledger takes longer: a store for each input
    how = rng.choices(("set", "sub", "gone", "twice"), (60, 36, 3, 1))[0]
    change = [how, table, rng.randrange(2 if rng.random() < 0.9 else 3)]
    if how not in ("set", "sub"):
        return change
    change.append(rng.choice(COLUMNS[table].split()))
    fresh = rng.choice((rng.choice(_CELLS), rng.choice(STRANGE), rng.choice(NUMBERS)))
    return [*change, rng.choice(_PARTS), fresh] if how == "sub" else [*change, fresh]


#: Raised by changes that nobody can carry out.
WRONG = (ValueError, TypeError, OverflowError, AttributeError, IndexError)
#: Returns the condition of SQL, with its values, that finds the row of a table at a place.
Where = Callable[[str, int], tuple[str, Sequence[Any]]]


def key_of(table: str) -> str:
    """Return the columns of a table's primary key. Some tables have no rowid."""
    return ", ".join(f'"{column.name}"' for column in metadata.tables[f"beatd_{table}"].primary_key)


def _in_whole_table(table: str, place: int) -> tuple[str, Sequence[Any]]:
    key = key_of(table)
    return f"({key}) = (SELECT {key} FROM beatd_{table} LIMIT 1 OFFSET {place % 3})", ()


def damage(file: sqlite3.Connection, data: bytes) -> str:
    """Carry out the changes that an input lists; return how many it made."""
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return " none"
    done = 0
    for change in changes if isinstance(changes, list) else []:
        with suppress(sqlite3.Error, *WRONG):
            done += change_row(file, _in_whole_table, *change)
    file.commit()  # also after a change that failed
    return f" {done}"


def change_row(
    file: sqlite3.Connection, where: Where, how: str, table: str, place: int, *rest: Any
) -> int:
    """Carry out one change and return how many rows it changed."""
    if table not in COLUMNS:
        return 0
    row, values = where(table, int(place))
    if how == "gone":
        return file.execute(f"DELETE FROM beatd_{table} WHERE {row}", values).rowcount
    if how == "twice":
        return file.execute(f"INSERT INTO beatd_{table} SELECT * FROM beatd_{table}").rowcount
    column = str(rest[0]).replace('"', "")
    if how == "sub":
        old, new = _value(rest[1]), _value(rest[2])
        what = f'UPDATE beatd_{table} SET "{column}" = replace("{column}", ?, ?) WHERE {row}'
        return file.execute(what, (old, new, *values)).rowcount
    what = f'UPDATE beatd_{table} SET "{column}" = ? WHERE {row}'
    return file.execute(what, (_value(rest[1]), *values)).rowcount


def _value(plain: Any) -> Any:
    if isinstance(plain, dict) and "hex" in plain:
        return bytes.fromhex(plain["hex"])
    if isinstance(plain, list | dict):
        return json.dumps(plain)
    return plain
