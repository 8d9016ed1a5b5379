"""Store which daemons are alive: each writes a description of itself that soon expires."""

from collections.abc import Sequence
from functools import partial

from msgspec import json
from sqlalchemy import Connection, bindparam, delete, select

from beatd.leader import Holder
from beatd.presence import Presence
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import daemon

SAID_AGAIN = daemon.update().where(daemon.c.token == bindparam("who"))


class SqlPresences(Part):
    def announce(self, presence: Presence, ttl: float) -> None:
        token, text = presence.holder.token, json.encode(presence).decode()

        def put(connection: Connection) -> None:
            now = self._db.dialect.now(connection)
            said = {"until": now + int(ttl * 1_000_000), "presence": text}
            if not connection.execute(SAID_AGAIN, {"who": token, **said}).rowcount:
                # A new daemon deletes the presences that have expired.
                connection.execute(delete(daemon).where(daemon.c.until < now))
                connection.execute(daemon.insert().values(token=token, **said))

        self._db.write(put)

    def leave(self, holder: Holder) -> None:
        gone = delete(daemon).where(daemon.c.token == holder.token)
        self._db.write(lambda connection: connection.execute(gone))

    def daemons(self) -> Sequence[Presence]:
        def alive(connection: Connection) -> list[str]:
            now = self._db.dialect.now(connection)
            present = select(daemon.c.presence).where(daemon.c.until > now)
            return list(connection.execute(present.order_by(daemon.c.token)).scalars())

        read = (
            self._damage.read("a row of beatd_daemon", partial(json.decode, text, type=Presence))
            for text in self._db.read(alive)
        )
        return [presence for presence in read if presence is not None]
