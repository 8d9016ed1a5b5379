"""The HTTP server of a daemon, with limits on the number and the age of its connections."""

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
from beatd.web.http_hosts import HttpHosts

log = logging.getLogger("beatd")

CONNECTIONS_MAX = 32  # one more closes the oldest one, so that a probe always gets an answer
CONNECTION_LIFE_S = 10.0
CLIENT_TIMEOUT_S = 5.0  # then the thread of a silent client ends
PAUSE_AFTER_FAILED_ACCEPT_S = 0.5  # such as without a free descriptor
LOG_FAILURE_EVERY_S = 60.0
#: Pages for any Host header: probes and scrapers call a daemon by many names, and these
#: pages contain figures only.
PAGES_FOR_ANY_HOST = ("/live", "/ready", "/metrics")

Answer = tuple[int, str, bytes]


class Answers(Protocol):
    """Makes the HTTP pages that a server shows."""

    def answer(self, path: str) -> Answer:
        """Return the status code, the content type and the body of the page at `path`."""


class HttpServer(ThreadingHTTPServer):
    """HTTP server that handles each connection on a thread, with limits on their number and age.

    A connection that its client ends early is not logged.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        self._opened_at: dict[Any, float] = {}  # open connections, the oldest first
        self._guard = threading.Lock()
        self._shut_down = threading.Event()
        self._failure_logged_at, self._accept_failed = float("-inf"), False
        super().__init__(*args)

    def get_request(self) -> Any:
        """Accept a connection and return it.

        On failure, pause, raise the error, and log it at most once a minute.
        """
        try:
            accepted = super().get_request()
        except OSError as error:
            # The connection still waits: without a pause this loop would take a core.
            self._accept_failed = True
            self._log_failure(error)
            self._shut_down.wait(PAUSE_AFTER_FAILED_ACCEPT_S)
            raise
        if self._accept_failed:
            self._accept_failed = False
            log.info("http: connections are accepted again")
        return accepted

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Record the new connection and return True.

        If there are too many connections, close the oldest one.
        """
        with self._guard:
            if len(self._opened_at) >= CONNECTIONS_MAX:
                self._cut(next(iter(self._opened_at)))
            self._opened_at[request] = monotonic()
        return True

    def service_actions(self) -> None:
        """Close every connection that is too old; the base class calls this twice a second."""
        with self._guard:
            for request, opened_at in list(self._opened_at.items()):
                if monotonic() - opened_at > CONNECTION_LIFE_S:
                    self._cut(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection whose request is finished."""
        with self._guard:
            self._opened_at.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a failed request, unless the connection itself failed."""
        error = sys.exception()
        if isinstance(error, OSError):
            return
        if isinstance(error, RuntimeError) and "thread" in str(error):
            self._log_failure(error)
            return
        log.error("http: a request failed", exc_info=error)

    def shutdown(self) -> None:
        """Stop accepting connections, without waiting for a pause in `get_request`."""
        self._shut_down.set()
        super().shutdown()

    def server_close(self) -> None:
        """Close the listening socket and all connections."""
        super().server_close()
        with self._guard:
            for request in list(self._opened_at):
                self._cut(request)

    def _cut(self, request: Any) -> None:
        """Shut a connection down and forget it; its own thread then closes the socket."""
        self._opened_at.pop(request, None)
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def _log_failure(self, error: Exception) -> None:
        """Log that a connection was not accepted, at most once a minute."""
        if monotonic() - self._failure_logged_at > LOG_FAILURE_EVERY_S:
            self._failure_logged_at = monotonic()
            reason = getattr(error, "strerror", None) or str(error)
            log.error("http: cannot accept a connection: %s; the beat goes on", reason)


def serve(host: str, port: int, hosts: HttpHosts, pages: Answers) -> HttpServer:
    """Start an HTTP server for the pages on a background thread, and return the server.

    `hosts` checks the Host headers of requests. Raise BeatError if the address cannot be used.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_TIMEOUT_S

        def do_GET(self) -> None:
            """Send the requested page, or an error if the Host header is not accepted.

            A page that raises an exception is logged and answered with the code 500.
            """
            path = self.path.split("?")[0]
            named = self.headers.get_all("Host") or []
            if path not in PAGES_FOR_ANY_HOST and (refusal := hosts.refusal(named)):
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
            """Send an error as one line of text, and close the connection.

            An unknown method gets the code 405 instead of 501.
            """
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
            """Log nothing, because probes send a request every few seconds."""

    class Bound(HttpServer):
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
