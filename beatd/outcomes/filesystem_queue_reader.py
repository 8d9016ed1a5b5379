"""Read reports from kombu's filesystem broker, where each message is a file."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kombu import Connection

from beatd.outcomes.queue_connection import QueueConnection, body_in

READS_OF_UNFINISHED_FILE = 25  # kombu creates a file before it writes the message


class FilesystemQueueReader(QueueConnection):
    """Reads workers' reports from a folder, oldest file first; `acknowledge` deletes the files."""

    def __init__(self, connection: Connection, name: str, timeout_s: float) -> None:
        super().__init__(connection, name, timeout_s)
        self._unfinished = Counter[str]()  # the reads of each file that is not complete

    def read(self, limit: int) -> Sequence[bytes]:
        channel = self._channel()
        folder, ending = Path(channel.data_folder_in), f"{self._name}.msg"
        names = sorted(name for name in os.listdir(folder) if name.partition(".")[2] == ending)  # noqa: PTH208  # quicker
        bodies, unfinished = list[bytes](), Counter[str]()
        self._unacknowledged = []
        for name in names:
            if len(bodies) == limit:
                break
            body = _body_of(channel, folder / name)
            if body is None and self._unfinished[name] < READS_OF_UNFINISHED_FILE:
                unfinished[name] = self._unfinished[name] + 1
                continue
            self._unacknowledged.append(folder / name)
            bodies.append(body or b"")
        self._unfinished = unfinished
        return bodies

    def acknowledge(self) -> None:
        for file in self._unacknowledged:
            file.unlink(missing_ok=True)
        self._unacknowledged = []


def _body_of(channel: Any, file: Path) -> bytes | None:
    try:
        payload = file.read_bytes()
    except FileNotFoundError:
        return None
    return body_in(channel, payload)
