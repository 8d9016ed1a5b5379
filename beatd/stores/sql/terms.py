"""Number the leaders: each daemon that starts to lead gets the next number from the store.

A leader must show its number whenever it reserves runs, so that an old leader cannot reserve any.
"""

from functools import partial
from secrets import token_hex
from time import monotonic
from uuid import UUID

from msgspec import json
from sqlalchemy import Connection, select

from beatd.clock import StoreTime
from beatd.leader import Holder, Term
from beatd.run import moment_of
from beatd.stores.sql.database import REPLIED_AT
from beatd.stores.sql.migrations import refuse_damaged, refuse_newer, restore
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import ledger


class SqlTerms(Part):
    _namespace: UUID

    def begin(self, holder: Holder) -> Term:
        token, text = token_hex(16), json.encode(holder).decode()

        def issue(connection: Connection) -> tuple[Term, str]:
            row = connection.execute(select(ledger).with_for_update()).one_or_none()
            if row is None:
                restore(connection, self._namespace)
                row = connection.execute(select(ledger).with_for_update()).one()
            refuse_newer(self._db.where, row.version, row.serves)
            refuse_damaged(self._db.where, row.namespace, row.term)
            connection.execute(ledger.update().values(term=row.term + 1, token=token, holder=text))
            return Term(row.term + 1, token), row.namespace

        term, namespace = self._db.write(issue)
        self._namespace = UUID(namespace)
        return term

    def term(self) -> tuple[Term, Holder] | None:
        row = self._db.read(lambda connection: connection.execute(select(ledger)).one_or_none())
        if row is None:
            return None
        read = partial(json.decode, row.holder, type=Holder)
        holder = row.holder and self._damage.read("the holder in beatd_ledger", read)
        return (Term(row.term, row.token), holder) if holder else None

    def now(self) -> StoreTime | None:
        if not self._db.dialect.has_clock:
            return None

        def read(connection: Connection) -> tuple[int, str, float]:
            return *self._db.dialect.time(connection), connection.info[REPLIED_AT]

        micros, server, replied_at = self._db.read(read)
        # Add what the driver and the end of the transaction took: in MariaDB, another round trip.
        return StoreTime(moment_of(micros + int((monotonic() - replied_at) * 1e6)), server)
