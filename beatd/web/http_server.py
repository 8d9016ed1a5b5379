"""The HTTP server of a daemon: bounded in its connections and in how long each may last, and quiet
about clients that go away."""

import errno
import logging
import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any, Protocol

from beatd.errors import BeatError
from beatd.web.http_hosts import Hosts

log = logging.getLogger("beatd")

CONNECTIONS = 32  # more close the oldest one, so that a probe always has its turn
CONNECTION_LIFE_S = 10.0
SILENCE_S = 5.0  # a client that connects and says nothing holds a thread no longer
ACCEPT_AGAIN_S = 0.5  # after an accept that failed, as when no descriptor is left
FAILURE_LOGGED_EVERY_S = 60.0
#: Answered to whatever Host: probes and scrapers call a daemon by many names, and there is
#: nothing but figures in these pages.
ANY_HOST = ("/live", "/ready", "/metrics")

Answer = tuple[int, str, bytes]


class Answers(Protocol):
    def answer(self, path: str) -> Answer: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        self._began: dict[Any, float] = {}  # open connections, the oldest first
        self._guard = threading.Lock()
        self._ends = threading.Event()
        self._failure_logged_at, self._fails = float("-inf"), False
        super().__init__(*args)

    def get_request(self) -> Any:
        try:
            accepted = super().get_request()
        except OSError as error:
            # What waits is there at once again: without a pause this loop would take a core.
            self._fails = True
            self._log_failure(error)
            self._ends.wait(ACCEPT_AGAIN_S)
            raise
        if self._fails:
            self._fails = False
            log.info("http: connections are taken again")
        return accepted

    def verify_request(self, request: Any, client_address: Any) -> bool:
        with self._guard:
            if len(self._began) >= CONNECTIONS:
                self._cut(next(iter(self._began)))
            self._began[request] = monotonic()
        return True

    def service_actions(self) -> None:
        """Called twice a second: close the connections that last too long."""
        with self._guard:
            for request, began in list(self._began.items()):
                if monotonic() - began > CONNECTION_LIFE_S:
                    self._cut(request)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._began.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if isinstance(error, OSError):
            return  # the client went away
        if isinstance(error, RuntimeError) and "thread" in str(error):
            self._log_failure(error)
            return
        log.error("http: a request failed", exc_info=error)

    def shutdown(self) -> None:
        self._ends.set()
        super().shutdown()

    def server_close(self) -> None:
        super().server_close()
        with self._guard:
            for request in list(self._began):
                self._cut(request)

    def _cut(self, request: Any) -> None:
        """End a connection; its thread notices and closes it."""
        self._began.pop(request, None)
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def _log_failure(self, error: Exception) -> None:
        if monotonic() - self._failure_logged_at > FAILURE_LOGGED_EVERY_S:
            self._failure_logged_at = monotonic()
            reason = getattr(error, "strerror", None) or str(error)
            log.error("http: cannot take a connection: %s; the beat goes on", reason)


def serve(host: str, port: int, hosts: Hosts, pages: Answers) -> Server:
    """A server that listens when this returns, on a thread of its own; BeatError if it cannot."""

    class Handler(BaseHTTPRequestHandler):
        timeout = SILENCE_S

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            named = self.headers.get_all("Host") or []
            if path not in ANY_HOST and (refusal := hosts.refusal(named)):
                self.send_error(400 if len(named) > 1 else 421, refusal)
                return
            try:
                code, kind, body = pages.answer(path)
            except Exception:
                log.exception("http: %s failed", path)
                self.send_error(500, "this page failed; its traceback is in the daemon's log")
                return
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def send_error(
            self, code: int, message: str | None = None, explain: str | None = None
        ) -> None:
            """One line of text, as every other answer; a method we do not know is not allowed."""
            code = 405 if code == 501 else code
            body = f"{message or code}\n".encode()
            self.close_connection = True
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """A probe every few seconds is not an event."""

    class Bound(Server):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = Bound((host, port), Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            reason += "; each daemon on a host needs a port of its own"
        raise BeatError(f"http.bind: cannot listen on {host}:{port}: {reason}") from None
    threading.Thread(target=server.serve_forever, name="beatd web", daemon=True).start()
    return server
