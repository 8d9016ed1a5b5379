"""kombu's SQLAlchemy broker, the embedded one: a table for a queue, a commit for a message."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError

from beatd.publisher import Outcome
from beatd.publishers.kombu_channel import OneByOne
from beatd.publishers.message import Letter, one_line


class SqlTables(OneByOne):
    def _channel(self) -> Any:
        channel = super()._channel()
        # Opens the database, which the channel would put off until the first message.
        _ = channel.session
        return channel

    def probe(self, channel: Any) -> None:
        channel.session.execute(text("SELECT 1"))
        channel.session.rollback()

    def _send(self, letter: Letter) -> Outcome:
        outcome = super()._send(letter)
        if outcome.sent == "rejected":
            # kombu does not roll back: every later message would fail with this one.
            self._drop()
        return outcome

    def outcome(self, error: Exception) -> Outcome:
        # A DataError is about the message, such as a name too long for its column: no later try
        # will do.
        if isinstance(error, DBAPIError) and not isinstance(error, DataError):
            # Without the connection nobody can say whether the commit went through; with it, the
            # database has said that it did not.
            why = one_line(error.orig or error)
            return (
                Outcome("unknown", why) if error.connection_invalidated else Outcome("unsent", why)
            )
        return super().outcome(error)
