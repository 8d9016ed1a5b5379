"""Read workers' reports from kombu's SQLAlchemy broker, where each message is a table row."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from beatd.outcomes.queue_connection import QueueConnection, body_in


class SqlalchemyQueueReader(QueueConnection):
    """Reads workers' reports from the table of a broker, oldest first; `acknowledge` deletes them.

    kombu's own consumer would hide a message before its reports are written to the store, and would
    never delete it.
    """

    _session: Any = None

    def read(self, limit: int) -> Sequence[bytes]:
        channel = self._channel()
        session, row = channel.session, channel.message_cls
        self._session, self._unacknowledged = session, []
        queue = channel.queue_cls
        found = (
            session.query(row.id, row.payload)
            .join(queue, queue.id == row.queue_id)
            .filter(queue.name == self._name, row.visible.is_(True))
            .order_by(row.sent_at, row.id)
            .limit(limit)
            .all()
        )
        session.rollback()  # the connection goes back to the pool, without a lock
        self._unacknowledged = [number for number, _ in found]
        return [body_in(channel, payload) or b"" for _, payload in found]

    def acknowledge(self) -> None:
        if not self._unacknowledged:
            return
        channel = self._channel()
        session, row = channel.session, channel.message_cls
        rows = session.query(row).filter(row.id.in_(self._unacknowledged))
        rows.delete(synchronize_session=False)
        session.commit()
        self._unacknowledged = []

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):  # the connection may be broken
                session.invalidate()  # kombu leaves its session to the garbage collector
        super().close()
