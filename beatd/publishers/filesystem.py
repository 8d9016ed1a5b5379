"""The transport to kombu's filesystem broker, where each message is one file that appears complete
or not at all."""

import errno
import os
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.utils.json import dumps

from beatd.publisher import Outcome
from beatd.publishers.kombu_channel import KombuChannel
from beatd.publishers.message import one_line

NTH = count()  # orders the messages of one millisecond


class NoFileName(Exception):
    """Raised when the name of a queue cannot be a part of a file's name, so that no retry helps."""


class Filesystem(KombuChannel):
    """A transport that writes each message to a hidden file and then renames the file, so that no
    worker reads half a message."""

    def _channel(self) -> Any:
        channel = super()._channel()

        def put(queue: str, message: Any, **_: Any) -> None:
            # kombu creates the file under its name, then locks and fills it: a worker that reads
            # it in between gets an empty message, and the real one is lost.
            folder = Path(channel.data_folder_out)
            name = f"{round(monotonic() * 1000)}_{next(NTH):012}_{uuid4()}.{queue}.msg"
            hidden = folder / f".{uuid4()}.part"
            try:
                hidden.write_bytes(dumps(message).encode())
                _rename(hidden, folder / name, queue)
            finally:
                hidden.unlink(missing_ok=True)

        channel._put = put
        return channel

    def probe(self, channel: Any) -> None:
        os.close(os.open(channel.data_folder_out, os.O_RDONLY))

    def outcome(self, error: Exception) -> Outcome:
        if isinstance(error, OSError):
            return Outcome("unsent", one_line(error))
        return super().outcome(error)


def _rename(hidden: Path, file: Path, queue: str) -> None:
    """Rename `hidden` to `file`, whose name contains the name of the queue. Raises NoFileName if
    this name is the reason why renaming fails."""
    try:
        hidden.rename(file)
    except OSError as error:
        # The hidden file was written, so the folder is usable; the name is not.
        if error.errno == errno.ENAMETOOLONG or "/" in queue:
            raise NoFileName(f"no file can be named after the queue {queue[:50]}") from None
        raise
