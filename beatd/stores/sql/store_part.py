"""The base class of the parts of a SQL store, which share a database and a decoder of entries."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from beatd.catalog import Codec
from beatd.errors import StoreError
from beatd.stores.damage import Damage
from beatd.stores.sql.database import Database
from beatd.stores.sql.entry_reader import CHUNK, Reader
from beatd.stores.sql.history_rows import Line, cells_of
from beatd.stores.sql.running_runs import RunningRuns
from beatd.stores.sql.tables import history

T = TypeVar("T")


class Part:
    def __init__(self, database: Database, codec: Codec) -> None:
        self._db = database
        self._codec = codec
        self._damage = Damage(database.where)
        self._running = RunningRuns(database.dialect, self._damage)
        self._reader = Reader(codec, database.dialect, self._damage, self._running)
        self._names = database.dialect.batch(name="text")

    def drop_cached(self, names: Sequence[str]) -> None:
        self._reader.drop_cached(names)

    def _tell(self, connection: Connection, lines: Sequence[Line]) -> None:
        for start in range(0, len(lines), CHUNK):
            columns, rows = cells_of(lines[start : start + CHUNK])
            self._db.dialect.insert(connection, history.name, columns, rows)

    def _write_anew(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._db.write(work)
        except StoreError as error:
            # Another process has inserted the same row meanwhile: the second try finds it.
            if not isinstance(error.__cause__, IntegrityError):
                raise
            return self._db.write(work)
