"""Format log records as lines of text or JSON."""

import logging
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

from msgspec import json

from beatd.secret import hidden

#: Escapes of characters that move a terminal's cursor, colour the text or reverse its direction.
_ESCAPES = {
    place: chr(place).encode("unicode_escape").decode()
    for place in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class TextLines(logging.Formatter):
    """Formats a log record as one line with time, level and message; passwords are hidden.

    The time is that of the zone `home`, with its offset: 2026-11-28T12:34:56.123+01:00.
    """

    def __init__(self, home: tzinfo = UTC) -> None:
        super().__init__()
        self._home = home

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, self._home).isoformat(timespec="milliseconds")
        text = record.getMessage().translate(_ESCAPES)
        line = f"{at.replace('+00:00', 'Z')} {record.levelname.lower():7} {text}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return hidden(line)


class JsonLines(logging.Formatter):
    """Formats a log record as one JSON object with message and facts; passwords are hidden.

    Each object has the host, the process id and the number under which this daemon leads, which
    `term` returns; null in place of 0.
    """

    def __init__(self, term: Callable[[], int] = lambda: 0) -> None:
        super().__init__()
        self.term = term
        self._host = socket.gethostname()

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        # The name of a file may hold bytes that JSON cannot carry.
        text = record.getMessage().encode(errors="backslashreplace").decode()
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "message": text}
        line |= {"host": self._host, "pid": os.getpid(), "term": self.term() or None}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return hidden(json.encode(line).decode())
