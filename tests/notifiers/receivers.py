"""Servers of the tests that receive messages: good, refusing, failing, slow and hanging ones."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from msgspec import json


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.decode(self.body)


class Receiver:
    """An HTTP server on a free port, which keeps what it received and answers with `status`."""

    def __init__(self, answers: Callable[[int], int]) -> None:
        self.received: list[Received] = []
        self.released = threading.Event()  # a hanging server answers then

        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.received.append(Received(self.path, headers, body))
                status = answers(len(outer.received))
                if status == 0:
                    outer.released.wait(60)
                    status = 200
                try:
                    self.send_response(status)
                    if status in (301, 302, 307):
                        self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the sender has given up

            do_GET = do_POST

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiver(answers: Callable[[int], int] = lambda number: 200) -> Iterator[Receiver]:
    """Receive requests; `answers` returns the status for the first, second… request, and 0 to
    hang."""
    one = Receiver(answers)
    try:
        yield one
    finally:
        one.close()


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def closed_url() -> str:
    """Return a URL at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}/hook"
