"""A connection to a server that carries only so many bytes a second, as over a thin line."""

import socket
import threading
import time
from contextlib import suppress

BYTES_AT_ONCE = 8192
BUFFER_BYTES = 32_768  # more would lie in the system, and be sent after the client was killed


class NarrowPipe:
    """A port that leads to a local server. What the server answers comes at full speed."""

    def __init__(self, port: int, bytes_per_second: float) -> None:
        self._server, self._pause_s = port, BYTES_AT_ONCE / bytes_per_second
        self._door = socket.socket()
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._door.bind(("127.0.0.1", 0))
        self._door.listen()
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._admit, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _admit(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._server))
                except OSError:
                    client.close()
                    continue
                ends = (client, server, self._pause_s)
                threading.Thread(target=_join, args=ends, daemon=True).start()


def _join(client: socket.socket, server: socket.socket, pause_s: float) -> None:
    with client, server:
        back = threading.Thread(target=_carry, args=(server, client, 0.0), daemon=True)
        back.start()
        _carry(client, server, pause_s)
        back.join()


def _carry(source: socket.socket, to: socket.socket, pause_s: float) -> None:
    with suppress(OSError):
        while data := source.recv(BYTES_AT_ONCE):
            to.sendall(data)
            if len(data) == BYTES_AT_ONCE:
                time.sleep(pause_s)
    for end in (source, to):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
