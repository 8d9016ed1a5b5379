"""The HTTP protocol of one connection, with limits on how long its client may take."""

import asyncio
from collections.abc import Callable

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from beatd.web.security_headers import SECURITY_HEADERS

REQUEST_TIMEOUT_S = 5.0  # for a complete request, with its body
IDLE_TIMEOUT_S = 10.0  # between two requests, and for a client that does not read its answer
HEADER_BYTES_MAX = 16_384
#: h11 parses no event in these states: the client has sent a complete request.
REQUEST_COMPLETE = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)


class LimitedProtocol(H11Protocol):
    """An HTTP connection that closes if the client sends a request or reads a response too slowly.

    `closed` is called after the connection has ended.
    """

    def __init__(self, config: Config, state: ServerState, closed: Callable[[], None]) -> None:
        super().__init__(config, state, {}, asyncio.get_running_loop())
        self._closed = closed
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._end_in(REQUEST_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_in(None)
        super().connection_lost(exc)
        self._closed()

    def data_received(self, data: bytes) -> None:
        # The first part of a later request sets its time limit.
        if self._is_idle() and self.conn.their_state is h11.IDLE:
            self._end_in(REQUEST_TIMEOUT_S)
        super().data_received(data)
        self._request_read()

    def on_response_complete(self) -> None:
        # The beginning of the next request may have been received already.
        self._end_in(IDLE_TIMEOUT_S)
        super().on_response_complete()
        if self.transport.is_closing() or self._is_idle():
            return
        self._end_in(REQUEST_TIMEOUT_S)
        self._request_read()

    def pause_writing(self) -> None:
        """Start the time limit for a client that does not read its response."""
        super().pause_writing()
        self._end_in(IDLE_TIMEOUT_S)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._request_read()

    def send_400_response(self, msg: str) -> None:
        """Respond to a malformed request with status 400, unless a response has begun, and
        close."""
        if self.conn.our_state is h11.SEND_RESPONSE or self.conn.our_state is h11.IDLE:
            body = f"{msg}\n".encode()
            headers = {
                **SECURITY_HEADERS,
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                "Connection": "close",
            }
            answer = h11.Response(
                status_code=400, headers=list(headers.items()), reason=b"Bad Request"
            )
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._end_in(IDLE_TIMEOUT_S)

    def _is_idle(self) -> bool:
        answered = self.cycle is not None and self.cycle.response_complete
        return answered and not self.conn.trailing_data[0]

    def _request_read(self) -> None:
        if self.transport.is_closing() or self.cycle is None or self.cycle.response_complete:
            return
        if self.conn.their_state in REQUEST_COMPLETE and not self.flow.write_paused:
            self._end_in(None)

    def _end_in(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self.transport.abort)
