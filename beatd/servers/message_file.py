"""Write each message of kombu's filesystem broker as a file that appears complete or not at all."""

import errno
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.utils.json import dumps

NTH = count()  # orders the messages of one millisecond


class NoFileName(Exception):
    """Raised when a queue's name cannot be part of a file name. A retry cannot help."""


def write_whole_files(channel: Any) -> None:
    """Make a channel of kombu's filesystem transport write whole files.

    Each message goes to a hidden file, which is then renamed. So a consumer never reads half a
    message.
    """

    def put(queue: str, message: Any, **_: Any) -> None:
        # kombu creates the file under its name, then locks and fills it: a consumer that reads
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


def _rename(hidden: Path, file: Path, queue: str) -> None:
    # Raises NoFileName if the new name, which contains the queue's name, is the reason for a
    # failure, and OSError for any other failure.
    try:
        hidden.rename(file)
    except OSError as error:
        # The hidden file was written, so the folder is usable; the name is not.
        if error.errno == errno.ENAMETOOLONG or "/" in queue:
            raise NoFileName(f"no file can be named after the queue {queue[:50]}") from None
        raise
