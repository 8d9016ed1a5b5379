"""Which tables the reads and writes of an entry reach in a SQL store."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import event

from beatd.stores.sql import SqlStore
from tests.fuzz.targets.reading import reads, writes

#: The tables, by the name of a read or write without its entry.
Reached = Mapping[str, set[str]]
_TABLE = re.compile(r"beatd_(\w+)")


@contextmanager
def reaching(store: SqlStore) -> Iterator[set[str]]:
    """Yield a set that gets the tables which the statements of the store name.

    A table into which rows are only inserted is left out: no damaged row of it is read.
    """
    seen = set[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("INSERT") or "SELECT" in statement or "CONFLICT" in statement:
            seen.update(_TABLE.findall(statement))

    event.listen(store._db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(store._db.engine, "before_cursor_execute", note)


def tables_reached(store: SqlStore, names: Sequence[str]) -> Reached:
    """Call all reads and writes, and return the tables that each of them reaches."""
    found = dict[str, set[str]]()
    for label, call in (*reads(store, names), *writes(store, names)):
        with reaching(store) as seen, suppress(AssertionError):
            call()
        found.setdefault(label.partition(":")[0], set()).update(seen)
    return found


def read_together(reached: Reached) -> Mapping[str, set[str]]:
    """Return for each table the tables that some read or write reaches with it."""
    together = dict[str, set[str]]()
    for label, tables in reached.items():
        if not label.startswith("forget"):  # deletes old rows from several tables, one by one
            for table in tables:
                together.setdefault(table, set()).update(tables)
    return together
