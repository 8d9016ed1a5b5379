"""Send messages to kombu's SQLAlchemy broker, where each message is a row of a table."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from beatd.publisher import Outcome
from beatd.publishers.kombu_channel import KombuChannel
from beatd.publishers.message import CeleryMessage, one_line

# MySQL's and MariaDB's codes for text that the charset of a table or column does not have: two for
# a comparison, two for a value. PyMySQL raises OperationalError for them, as for an outage.
NOT_IN_CHARSET = (1267, 1271, 1366, 3988)


class Sqlalchemy(KombuChannel):
    """Sends messages through kombu to tables of a SQL database.

    It rolls the session back after each error, because kombu does not.
    """

    _session: Session | None = None

    def _channel(self) -> Any:
        channel = super()._channel()
        # This opens the database, which the channel would do at the first message.
        self._session = channel.session
        return channel

    def _drop(self) -> None:
        # kombu leaves its session, and its locks, to the garbage collector.
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
        super()._drop()

    def probe(self, channel: Any) -> None:
        channel.session.execute(text("SELECT 1"))
        channel.session.rollback()

    def _send(self, celery_message: CeleryMessage) -> Outcome:
        outcome = super()._send(celery_message)
        if outcome.sent == "rejected" and self._session is not None:
            # Without a rollback every later message would fail, too.
            try:
                self._session.rollback()
            except SQLAlchemyError:
                self._drop()
        return outcome

    def refuses_message(self, error: Exception) -> bool:
        """Return True if the database will never accept this message.

        For example, a name in it is too long, or it has a character that the column cannot store.
        """
        if isinstance(error, DataError):
            return True
        args = error.orig.args if isinstance(error, DBAPIError) and error.orig else ()
        return bool(args) and args[0] in NOT_IN_CHARSET

    def outcome(self, error: Exception) -> Outcome:
        if self.refuses_message(error):
            return Outcome("rejected", one_line(error))
        if isinstance(error, DBAPIError):
            # If the connection broke, the commit may have happened; else the database says that it
            # did not.
            why = one_line(error.orig or error)
            return (
                Outcome("unknown", why) if error.connection_invalidated else Outcome("unsent", why)
            )
        return super().outcome(error)
