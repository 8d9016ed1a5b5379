"""Reserve runs faster by preparing the transaction before they are due, and then only committing
it.

PostgreSQL only. The rows are locked until the commit. If this process freezes, PostgreSQL ends the
transaction after half a second; other databases would not release the rows.
"""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import datetime

from sqlalchemy import Transaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from beatd.leader import Term
from beatd.ledger import HeldClaim, Move
from beatd.run import micros
from beatd.stores.sql.claim import Done, SqlClaiming

# Ends the transaction of a process that freezes, after 500 ms; it should last a few ms.
LIMITS = {"postgresql": "SET LOCAL idle_in_transaction_session_timeout = 500"}


class SqlHolding(SqlClaiming):
    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldClaim | None:
        limit = LIMITS.get(self._db.dialect.name)
        if limit is None:
            return None
        try:
            with ExitStack() as until_held:
                connection = until_held.enter_context(self._db.engine.connect())
                transaction = until_held.enter_context(connection.begin())
                self._db.dialect.begin(connection, write=True, patient=False)
                connection.exec_driver_sql(limit)
                done = self._claim(moves, term, micros(at), connection)
                return HeldInTransaction(self, transaction, done, at, until_held.pop_all())
        except (DBAPIError, PoolTimeout, OSError):
            return None

    def commit(self, held: "HeldInTransaction") -> Sequence[bool]:
        try:
            with held.connected:
                held.transaction.commit()
        except (DBAPIError, OSError) as error:
            raise self._db.explained(error) from error
        return self._claimed(held.done, held.at)


class HeldInTransaction:
    """Runs that a prepared transaction has reserved, and that only need its commit.

    `make` commits and returns True for each change that was made, else False. `drop` rolls back.
    """

    def __init__(
        self,
        ledger: SqlHolding,
        transaction: Transaction,
        done: Done,
        at: datetime,
        connected: ExitStack,
    ) -> None:
        self._ledger, self.done, self.at = ledger, done, at
        self.transaction, self.connected = transaction, connected

    def make(self) -> Sequence[bool]:
        return self._ledger.commit(self)

    def drop(self) -> None:
        with suppress(DBAPIError, OSError), self.connected:
            self.transaction.rollback()
