"""A cable between a client and its server, which a test may pull out or make longer."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress


class Cable:
    """A port that leads to the server while it is plugged in.

    Whatever is sent takes `there` seconds to the server, and what it answers `back` seconds.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self.there = self.back = 0.0
        self._ends: list[socket.socket] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._door: socket.socket | None = None
        self.plug_in()

    def plug_in(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._admit, args=(self._door,), daemon=True).start()

    def lead_to(self, port: int) -> None:
        """Another server answers from here on, as behind a name that was moved."""
        self.pull_out()
        self._server = (self._server[0], port)
        self.plug_in()

    def pull_out(self) -> None:
        assert self._door is not None
        for end in (self._door, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _admit(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.create_connection(self._server)
                self._ends += [here, there]
                ways = ((here, there, lambda: self.there), (there, here, lambda: self.back))
                for way in ways:
                    threading.Thread(target=_carry, args=way, daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket, takes: Callable[[], float]) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            time.sleep(takes())
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
