"""A store in a SQL database, for entries, their next runs and their history.

Any number of daemons and commands may share it.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from beatd.catalog import Codec, Wake
from beatd.stores.embedded.query import PARTS_MISSING
from beatd.stores.sql.catalog_writes import SqlCatalog
from beatd.stores.sql.copies import SqlCopies
from beatd.stores.sql.database import Database
from beatd.stores.sql.held_claim import SqlHolding
from beatd.stores.sql.history import SqlHistory
from beatd.stores.sql.incidents import SqlIncidents
from beatd.stores.sql.migrations import migrate
from beatd.stores.sql.presence import SqlPresences
from beatd.stores.sql.tables import ledger
from beatd.stores.sql.terms import SqlTerms
from beatd.stores.sql.url import dialect_of


class SqlStore(SqlHolding, SqlCatalog, SqlHistory, SqlCopies, SqlIncidents, SqlTerms, SqlPresences):
    """A store in a SQL database, whose tables the constructor creates or upgrades.

    The constructor raises StoreError if this fails. Without `create`, it creates no tables, and
    raises StoreAbsent if there are none.
    """

    def __init__(
        self, url: str, *, codec: Codec, timeout: float = 2.0, create: bool = True
    ) -> None:
        super().__init__(Database(dialect_of(url, timeout)), codec)
        self._create = create
        try:
            self._settle()
        except BaseException:
            self._db.close()
            raise
        self._db.open_anew = self._settle

    def _settle(self) -> None:
        self._reader.forget()
        self._namespace = migrate(self._db, create=self._create)

    @property
    def namespace(self) -> UUID:
        return self._namespace

    def new_identity(self) -> UUID:
        fresh = uuid4()
        statement = ledger.update().values(namespace=str(fresh))
        self._db.write(lambda connection: connection.execute(statement))
        self._namespace = fresh
        return fresh

    def atomic(self) -> None:
        return None

    def watch(self, wake: Wake) -> bool:
        return self._db.dialect.watch(wake)

    def losses(self) -> Sequence[str]:
        return list(self._db.losses)

    def problems(self) -> Sequence[str]:
        found = [*self._db.dialect.problems(), *self.losses()]
        if self.missing_parts(1, whole=False):
            found.append(f"{self._db.where}: {PARTS_MISSING}")
        return [*found, *self.unreadable(), *self._damage.lines()]

    def close(self) -> None:
        self._db.close()
