"""The HTTP server of a daemon; it limits the number and the age of its connections."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import threading
from time import monotonic
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from beatd.errors import BeatError
from beatd.web.give_way import REQUESTS_AT_ONCE
from beatd.web.http_protocol import HEADER_BYTES_MAX, IDLE_TIMEOUT_S, LimitedProtocol

log = logging.getLogger("beatd")

CONNECTIONS_MAX = 32  # one more closes the oldest one, so that a probe always gets an answer
HANDSHAKE_TIMEOUT_S = 5.0
BACKLOG = 64
PAUSE_AFTER_FAILED_ACCEPT_S = 0.5  # such as without a free descriptor
LOG_FAILURE_EVERY_S = 60.0
CLOSE_ANSWERS_S = 0.2  # for answers that are being sent when the server closes
CLOSE_S = 0.5


class HttpServer:
    """Serves a web application on its own thread, from construction until `close` is called.

    The constructor raises BeatError if the address cannot be used. Signal handlers are not changed.
    """

    def __init__(
        self, host: str, port: int, application: ASGIApp, tls: ssl.SSLContext | None = None
    ) -> None:
        self._listener = _listener(host, port)
        self.address: tuple[Any, ...] = self._listener.getsockname()
        self._config = Config(
            application,
            http=LimitedProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.CRITICAL,  # a client's mistake is no event
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=int(IDLE_TIMEOUT_S),
            h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        )
        self._tls = tls
        self._state = ServerState()
        self._opened: dict[socket.socket, None] = {}  # the oldest first
        self._failure_logged_at, self._accept_failed = float("-inf"), False
        self._loop, self._stop = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="beatd web", daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """Return the number of open connections, including those whose TLS handshake has not
        ended."""
        return len(self._opened)

    def close(self) -> None:
        """Close the listening socket and all connections, and wait up to CLOSE_S for the thread.

        A handler that waits for the store may still run on its thread after that.
        """
        with contextlib.suppress(RuntimeError):  # the loop is closed: this is a second call
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = self._loop
        loop.set_exception_handler(self._note_failure)
        current_default_thread_limiter().total_tokens = REQUESTS_AT_ONCE
        self._config.load()
        accepting = loop.create_task(self._accept_all())
        await self._stop.wait()
        accepting.cancel()
        self._listener.close()
        for protocol in list(self._state.connections):
            protocol.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=CLOSE_ANSWERS_S)
        for connection in list(self._opened):
            self._cut(connection)

    # Accepting

    async def _accept_all(self) -> None:
        # After a failure, pause: the connection still waits, so this loop would use a whole core.
        connecting = set[asyncio.Task[None]]()
        while True:
            try:
                connection = await self._accept()
            except OSError as error:
                self._accept_failed = True
                self._log_failure(error)
                await self._pause(PAUSE_AFTER_FAILED_ACCEPT_S)
                continue
            if self._accept_failed:
                self._accept_failed = False
                log.info("http: connections are accepted again")
            if len(self._opened) >= CONNECTIONS_MAX:
                self._cut(next(iter(self._opened)))
            self._opened[connection] = None
            task = self._loop.create_task(self._connect(connection))
            connecting.add(task)
            task.add_done_callback(connecting.discard)

    async def _accept(self) -> socket.socket:
        connection, _ = await self._loop.sock_accept(self._listener)
        return connection

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _connect(self, connection: socket.socket) -> None:
        def protocol() -> LimitedProtocol:
            return LimitedProtocol(self._config, self._state, lambda: self._forget(connection))

        try:
            await self._loop.connect_accepted_socket(
                protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S if self._tls else None,
                ssl_shutdown_timeout=1.0 if self._tls else None,
            )
        except (OSError, asyncio.CancelledError):
            # The client ended it, or did not speak TLS.
            self._forget(connection)
            connection.close()

    def _cut(self, connection: socket.socket) -> None:
        # asyncio closes the socket afterwards.
        self._forget(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _forget(self, connection: socket.socket) -> None:
        self._opened.pop(connection, None)

    # Failures

    def _note_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            log.error("http: a connection failed", exc_info=error)

    def _log_failure(self, error: OSError) -> None:
        if monotonic() - self._failure_logged_at > LOG_FAILURE_EVERY_S:
            self._failure_logged_at = monotonic()
            reason = error.strerror or str(error)
            log.error("http: cannot accept a connection: %s; the beat goes on", reason)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY, without which an answer takes 40 ms, only if the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            reason += "; each daemon on a host needs a port of its own"
        raise BeatError(f"http.bind: cannot listen on {host}:{port}: {reason}") from None
    listener.setblocking(False)
    return listener
