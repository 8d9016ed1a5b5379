"""Check each HTTP request before the handlers see it: its host, size, sender and origin."""

import logging
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from beatd.web.answers import error_answer, is_for_programs, problem, see_other
from beatd.web.give_way import GiveWay
from beatd.web.guess_limit import TooManyGuesses
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_protocol import HEADER_BYTES_MAX
from beatd.web.probes import PROBES
from beatd.web.same_origin import SAFE_METHODS, is_same_origin
from beatd.web.security_headers import add_security_headers
from beatd.web.sign_in import SIGN_IN, SIGN_OUT, local_path
from beatd.web.visitors import ANYBODY, Visitors, bearer_of

log = logging.getLogger("beatd")

BODY_BYTES_MAX = 1_048_576
CLOSE = {"Connection": "close"}
UNKNOWN = "a token is needed"
READS_ONLY = "this server only reads: its configuration has no http.tokens"
FOREIGN = "this request has no bearer token and does not come from a page of this server"


class Gate:
    """ASGI middleware that refuses requests with a wrong host, size, sender or origin.

    Handlers find the sender in `request.state.visitor` and the complete body in
    `request.state.body`. Security headers are added to each response.
    """

    def __init__(self, inner: Starlette, *, hosts: HttpHosts, visitors: Visitors) -> None:
        self.inner, self._hosts, self._visitors = inner, hosts, visitors
        self._give_way = GiveWay(inner.state.site.rests_for)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request: respond with an error, or pass the request to the
        application."""
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                add_security_headers(MutableHeaders(scope=message))
            await send(message)

        scope["app"] = self.inner  # for the pages of errors
        try:
            await self._answer(scope, receive, send_with_headers)
        except Exception as error:
            # Starlette raises it again after its handler has answered and logged it.
            if not started:
                log.error("http: a request failed", exc_info=error)
                answer = PlainTextResponse("Internal Server Error\n", 500)
                await answer(scope, receive, send_with_headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refusal = self._refusal(request)
        if refusal is None:
            body = await _body(request)
            if body is None:
                return
            request.state.body = body
            refusal = _too_large() if len(body) > BODY_BYTES_MAX else None
        if refusal is not None or request.scope["path"] in PROBES:
            await (refusal or self.inner)(scope, receive, send)
            return
        async with self._give_way.turn():
            await self.inner(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        path = request.scope["path"]
        request.state.visitor = None
        if "content-length" in request.headers and "transfer-encoding" in request.headers:
            # A proxy may go by the other header, and take a part of the body for a request.
            return problem(
                400, "Content-Length and Transfer-Encoding exclude each other", headers=CLOSE
            )
        if request.method in SAFE_METHODS and path in PROBES:
            return None
        named = request.headers.getlist("host")
        if refusal := self._hosts.refusal(named):
            status = 400 if len(named) > 1 else 421
            return PlainTextResponse(f"{refusal}\n", status)
        if _header_bytes(request) > HEADER_BYTES_MAX:
            return problem(431, f"headers have at most {HEADER_BYTES_MAX} bytes", headers=CLOSE)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            return _too_large()
        try:
            visitor = self._visitors.of(request)
        except TooManyGuesses as error:
            return problem(429, str(error), headers={"Retry-After": str(error.wait_s)})
        if visitor is None and is_for_programs(path):
            return _unknown(request, path)
        unsafe = request.method not in SAFE_METHODS
        if unsafe and bearer_of(request) is None and not is_same_origin(request):
            return problem(403, READS_ONLY if visitor is ANYBODY else FOREIGN)
        request.state.visitor = visitor
        if visitor is None and not _is_open(path):
            return _unknown(request, path)
        if _has_zero_byte(request):
            return error_answer(request, 400, "the address has a zero byte in it")
        return None


def _has_zero_byte(request: Request) -> bool:
    # PostgreSQL refuses zero bytes. Handlers of the API check each value themselves.
    scope = request.scope
    found = "\x00" in scope["path"] or b"%00" in scope["query_string"]
    return found and not is_for_programs(scope["path"])


def _is_open(path: str) -> bool:
    return path in (*PROBES, SIGN_IN, SIGN_OUT) or path.startswith("/static/")


def _unknown(request: Request, path: str) -> Response:
    if is_for_programs(path) or bearer_of(request) is not None:
        return problem(401, UNKNOWN, headers={"WWW-Authenticate": "Bearer"})
    query = request.url.query
    target = local_path(path + (f"?{query}" if query else ""))
    if request.method not in SAFE_METHODS or target == "/":
        return see_other(SIGN_IN)
    return see_other(f"{SIGN_IN}?next={quote(target, safe='/')}")


def _header_bytes(request: Request) -> int:
    # The server itself limits only headers that arrive in several pieces.
    scope = request.scope
    sizes = (len(name) + len(value) for name, value in scope["headers"])
    return len(scope["raw_path"]) + len(scope["query_string"]) + sum(sizes)


def _too_large() -> Response:
    return problem(413, f"a body has at most {BODY_BYTES_MAX} bytes", headers=CLOSE)


async def _body(request: Request) -> bytes | None:
    # One byte too many if the body is too large; None if the client has gone.
    chunks, size = [], 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_BYTES_MAX or not message.get("more_body", False):
            return b"".join(chunks)
