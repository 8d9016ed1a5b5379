"""Run the reads and writes of a SQL store in transactions, with retries.

Database errors are raised as StoreError with a message of one line.
"""

from collections.abc import Callable
from threading import RLock
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from beatd.errors import StoreError, StoreUnusable
from beatd.servers.sql_errors import one_line
from beatd.stores.sql.dialect import Dialect, Replaced

T = TypeVar("T")
REPLIED_AT = (
    "beatd_replied_at"  # in a connection's `info`: when its last reply came, by monotonic()
)


class Database:
    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.engine: Engine = dialect.engine()
        if dialect.has_clock:
            event.listen(self.engine, "after_cursor_execute", _note_reply)
        self.where = f"store {dialect.where()}"
        self.open_anew: Callable[[], object] = lambda: None  # opens a store that was replaced
        self.losses: list[str] = []  # a line for each loss that was repaired
        self._replaced = False
        self._opening = RLock()

    def read(self, work: Callable[[Connection], T], *, patient: bool = False) -> T:
        """Call `work` in a read-only transaction and return its result.

        `work` may be called again after a lost connection or a deadlock. `patient=True` allows each
        statement two minutes instead of the store's time-out. Raises StoreError if the database
        fails.
        """
        return self._transact(work, write=False, patient=patient)

    def write(self, work: Callable[[Connection], T], *, patient: bool = False) -> T:
        """Call `work` in a transaction, commit, and return the result of `work`.

        After a lost connection or a deadlock, `work` is called again; a commit that lost the
        connection is not repeated. `patient=True` allows each statement two minutes instead of the
        store's time-out. Raises StoreError if the database fails.
        """
        return self._transact(work, write=True, patient=patient)

    def _transact(self, work: Callable[[Connection], T], *, write: bool, patient: bool) -> T:
        if self._replaced:
            self._change_over()
        attempt = 0
        while True:
            attempt += 1
            committing = False
            try:
                with self.engine.connect() as connection, connection.begin() as transaction:
                    self.dialect.begin(connection, write=write, patient=patient)
                    answer = work(connection)
                    committing = True
                    transaction.commit()
                    return answer
            except DBAPIError as error:
                # A connection that went stale in the pool fails at its first statement, and what
                # the database undid can be done again. A failed commit may have happened.
                stale = error.connection_invalidated and not committing and attempt == 1
                if stale or attempt < self.dialect.attempts(error.orig or error):
                    continue
                raise self.explained(error) from error
            except (PoolTimeout, OSError) as error:  # OSError: no free file descriptor
                raise self.explained(error) from error
            except Replaced:
                self._replaced = True
                raise

    def _change_over(self) -> None:
        # The store's file was replaced. One thread opens the new file while the others wait.
        with self._opening:
            if not self._replaced:
                return
            self._replaced = False  # first, since `open_anew` runs transactions, too
            try:
                self.engine.dispose()
                self.open_anew()
            except BaseException:
                self._replaced = True
                raise

    def explained(self, error: BaseException) -> StoreError:
        """Convert an error of the database or the operating system to a StoreError of one line.

        If a retry cannot help, it is a StoreUnusable.
        """
        cause = getattr(error, "orig", None) or error
        line = self.dialect.unusable(cause)
        if line is not None:
            return StoreUnusable(f"{self.where}: {line}")
        return StoreError(f"{self.where}: {one_line(cause)}")

    def close(self) -> None:
        self.dialect.close()
        self.engine.dispose()


def _note_reply(connection: Connection, *_: Any) -> None:
    # SQLAlchemy next needs 0.2 ms to make rows: a clock set after that would be slow by as much.
    connection.info[REPLIED_AT] = monotonic()
