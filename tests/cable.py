"""A cable between a client and its server, which a test may pull out or make slow."""

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Cable:
    """A port that leads to the server while it is plugged in."""

    def __init__(self, host: str, port: int) -> None:
        self.there = self.back = 0.0  # seconds that it takes to the server, and from it
        self.mute = False  # it takes connections and data, and delivers nothing
        self._server = (host, port)
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
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
        with self._lock:
            if self._door is None:
                return
            door, self._door = self._door, None
            for end in (door, *self._ends):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            door.close()

    def _admit(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = door.accept()
                try:
                    there = socket.create_connection(self._server)
                except OSError:
                    here.close()  # the server is away; it may come back
                    continue
                threading.Thread(
                    target=self._connect, args=(door, here, there), daemon=True
                ).start()

    def _connect(self, door: socket.socket, here: socket.socket, there: socket.socket) -> None:
        """Carry what either end sends to the other one until both have ended."""
        with here, there:
            with self._lock:
                if self._door is not door:
                    return  # pulled out while the server accepted the connection
                self._ends |= {here, there}
            with suppress(OSError):
                _carry(
                    _Way(here, there, lambda: self.there, lambda: self.mute),
                    _Way(there, here, lambda: self.back, lambda: self.mute),
                )
            with self._lock:
                self._ends -= {here, there}


class _Way:
    """One direction of a connection, and what is on its way there."""

    def __init__(
        self,
        source: socket.socket,
        sink: socket.socket,
        delay_s: Callable[[], float],
        mute: Callable[[], bool],
    ) -> None:
        self.source, self._sink, self._delay_s, self._mute = source, sink, delay_s, mute
        self._waiting = deque[tuple[float, bytes]]()
        sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self) -> bool:
        """Return False when the source has ended."""
        data = self.source.recv(65536)
        if not (data and self._mute()):
            self._waiting.append((time.monotonic() + self._delay_s(), data))
        return bool(data)

    def deliver(self) -> float | None:
        """Send what is due; return the seconds until more is due, or None when nothing waits."""
        while self._waiting:
            due, data = self._waiting[0]
            if (left := due - time.monotonic()) > 0:
                return left
            self._waiting.popleft()
            if data:
                self._sink.sendall(data)
            else:
                self._sink.shutdown(socket.SHUT_WR)
        return None


def _carry(*ways: _Way) -> None:
    with selectors.DefaultSelector() as readable:
        for way in ways:
            readable.register(way.source, selectors.EVENT_READ, way)
        while True:
            left = [seconds for way in ways if (seconds := way.deliver()) is not None]
            if not left and not readable.get_map():
                return
            for key, _ in readable.select(min(left, default=None)):
                if not key.data.read():
                    readable.unregister(key.fileobj)
