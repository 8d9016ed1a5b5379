"""HTTP requests to the pages, the API and the probes, called without a server."""

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import h11
from starlette import routing
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from beatd.definition import codec
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.api.openapi import document_of
from beatd.web.api.operations import OPERATIONS
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.session import COOKIE, session_value
from tests.fuzz.target import Call, Target
from tests.stores.making import entry
from tests.web.demo_store import fill
from tests.web.site import NOW, SECRETS, TOKENS, site_with, stopped_clock, visitors

ANEW_EACH = 400  # requests: what they added must not make later ones slow
NAMES = ("cache.warm", "a/b%20c", "herd.hourly-11", "none")
_EDNA = next(token for token in [TOKENS.named("edna")] if token is not None)
SAME = f"Host: localhost\nSec-Fetch-Site: same-origin\nCookie: {COOKIE}={session_value(_EDNA)}"
BEARER = f"Host: localhost\nAuthorization: Bearer {SECRETS['edna']}\nContent-Type: application/json"
_FORM = SAME + "\nContent-Type: application/x-www-form-urlencoded"
PAGES = (
    "/", "/entries", "/entries?q=cache&state=due&sort=next&after=x&limit=3", "/history", "/history?name=cache.warm&state=failed&since=10m", "/incidents",
    "/daemons", "/changes", "/changes/1/undo", "/ahead?from=2026-11-28&hours=3", "/ahead?at=9999-12-31", "/entries.ics?days=7&name=a*", "/badge/cache.warm.svg",
    "/entries/cache.warm", "/entries/cache.warm?at=2027-01-01&count=5", "/entries/cache.warm/run", "/entries/cache.warm/backfill", "/entries/cache.warm/edit", "/new", "/sign-in?next=/entries",
    "/static/site.css", "/live", "/ready", "/metrics", "/status",
)  # fmt: skip
_API = (
    ("GET", "entries?limit=2&name_like=c*&state=active", None), ("GET", "entries/cache.warm", None),
    ("GET", "entries/cache.warm/next", None), ("GET", "entries/cache.warm/why?at=2026-11-28T12:00:00Z", None),
    ("PUT", "entries/new", {"task": "t", "every": "5m", "args": [1], "options": {"queue": "q"}}),
    ("PATCH", "entries/cache.warm", {"every": "1m", "options": {"priority": 5}}), ("DELETE", "entries/none", None),
    ("POST", "entries/cache.warm/pause", {"until": "10m", "note": "n"}), ("POST", "entries/cache.warm/resume", {}),
    ("POST", "entries/cache.warm/trigger", {"args": [1], "kwargs": {"a": 1}}),
    ("POST", "entries/cache.warm/backfill", {"from": "2026-11-28T10:00:00Z", "to": "2026-11-28T11:00:00Z"}),
    ("GET", "changes?limit=3", None), ("GET", "incidents", None), ("GET", "daemons", None), ("GET", "openapi.json", None),
)  # fmt: skip


def _of_document() -> Iterator[tuple[str, str, Any]]:
    # One request for each operation of the API's own document, with each parameter and member.
    document = document_of(OPERATIONS, "1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            named = [
                one.get("name")
                for one in operation.get("parameters", ())
                if one.get("in") == "query"
            ]
            content = operation.get("requestBody", {}).get("content", {})
            body = None
            for of_type in content.values():
                members = _members(document, of_type.get("schema", {}))
                body = {key: "1" for key in members}
            query = "&".join(f"{name}=1" for name in named)
            filled = path.replace("{name}", "cache.warm").replace("{id}", "1")
            yield method.upper(), f"{filled}?{query}", body


def _members(document: Any, schema: Any) -> list[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return list(schema.get("properties", {}))


def _requests() -> Iterator[bytes]:
    for path in PAGES:
        yield f"GET {path}\n{SAME}\n\n".encode()
    for method, path, body in _API:
        headers = BEARER + ('\nIf-Match: "1"' if method in ("PATCH", "DELETE") else "")
        text = "" if body is None else json.dumps(body)
        yield f"{method} /api/v1/{path}\n{headers}\n\n{text}".encode()
    for method, path, body in _of_document():
        text = "" if body is None else json.dumps(body)
        yield f"{method} {path}\n{BEARER}\nIf-Match: *\n\n{text}".encode()
    form = "name=new-one&task=t&kind=every&every=5m&cron=&tz=UTC&args=[1]&kwargs={}&base={}&action=save"
    for path in ("/new", "/entries/cache.warm/edit", "/entries/cache.warm/run", "/entries/cache.warm/backfill", "/entries", "/changes/1/undo", "/sign-out"):  # fmt: skip
        yield f"POST {path}\n{_FORM}\n\n{form}&from=2026-11-28&to=2026-11-29&revision=1".encode()
    yield f"POST /sign-in\n{_FORM}\n\nsecret={SECRETS['vera']}&next=/entries".encode()


async def _on_this_thread(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return call(*given, **named)


@contextmanager
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Yield a loop on which handlers run on this thread, whose lines and time are watched."""
    made = asyncio.new_event_loop()
    try:
        with patch.object(routing, "run_in_threadpool", _on_this_thread):
            yield made
    finally:
        made.run_until_complete(made.shutdown_default_executor())
        made.close()


@contextmanager
def _opened(_: Path) -> Iterator[Call]:
    server = Server()
    with loop() as running:

        def call(data: bytes) -> str:
            server.renew()
            return running.run_until_complete(server.answer(data))

        yield call


class Server:
    """The application on a store in memory, or on the store that `stand_on` names."""

    def __init__(self) -> None:
        self._asked = 0
        self._errors: list[Exception] = []
        self._app: Any = None

    def renew(self) -> None:
        if self._asked % ANEW_EACH == 0:
            store = MemoryStore(codec=codec, clock=stopped_clock())
            fill(store, NOW, [entry(name) for name in NAMES[1:3]])
            fill(store, NOW, [entry("cache.warm", every="5m", task="cache.warm")])
            self.stand_on(store)
        self._asked += 1

    def stand_on(self, store: Any) -> None:
        site = site_with(lambda: Roles.of(store), shares_store=True)
        self._app = application(site, HttpHosts("127.0.0.1", 9753), visitors(TOKENS))
        self._app.inner.exception_handlers[Exception] = self._failed

    async def _failed(self, request: Request, error: Exception) -> Response:
        self._errors.append(error)
        return PlainTextResponse("failed", 500)

    async def answer(self, data: bytes) -> str:
        return (await self.ask(data))[0]

    async def ask(self, data: bytes) -> tuple[str, int, bytes]:
        """Return what the answer is in a few words, its status, and its content."""
        head, _, body = data.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        sized = [*lines, b"Content-Length: %d" % len(body)] if body else lines
        connection = h11.Connection(h11.SERVER)
        try:
            connection.receive_data(b"\r\n".join((first + b" HTTP/1.1", *sized, b"", b"")))
            request = connection.next_event()
        except h11.RemoteProtocolError:
            return "refused by h11", 0, b""
        if not isinstance(request, h11.Request):
            return "no request", 0, b""
        path, _, query = request.target.partition(b"?")
        sent: list[Any] = []
        bodies = [body]

        async def receive() -> dict[str, Any]:
            if not bodies:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "http_version": "1.1", "scheme": "http", "root_path": "", "state": {},
            "method": request.method.decode("ascii"), "path": unquote(path.decode("ascii")),
            "raw_path": path, "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers],
            # From many addresses, for the limit of guesses is of one address.
            "client": (f"127.0.{zlib.crc32(data) % 256}.{self._asked % 250}", 50_000),
            "server": ("127.0.0.1", 9753),
        }  # fmt: skip
        self._errors.clear()
        await self._app(scope, receive, send)
        if self._errors:
            raise self._errors[0]
        status = sent[0]["status"]
        text = b"".join(message.get("body", b"") for message in sent[1:])
        assert status not in (500, 501, 502), f"status {status}"
        kinds = [value for name, value in sent[0]["headers"] if name == b"content-type"]
        for name, value in sent[0]["headers"]:
            assert b"\n" not in value and b"\r" not in value and value.isascii(), (name, value)
        if status >= 400 and kinds and b"json" in kinds[0]:
            problem = json.loads(text)
            return f"{status} {str(problem.get('detail'))[:60]}", status, text
        place = path.split(b"/")
        said = f"{request.method!r} {status} {place[1:2]!r} {place[-1:]!r} {len(text) // 2000}"
        return said, status, text


TARGETS = (
    Target(
        name="http", about="HTTP requests to the pages, the API and the probes", seeds=_requests,
        opened=_opened, weight=20,
        words=(
            "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "/", "//", "/../", "?", "&", "=", "%", "%2F", "%00", "%ff", ";", "Cookie: ", "Host: ", "Origin: ", "If-Match: ", "If-None-Match: ", "Accept: text/html",
            "Accept-Language: ", "Idempotency-Key: ", "Content-Type: ", "Content-Length: ", "Transfer-Encoding: chunked", "X-Forwarded-For: ", "limit", "cursor", "name", "until", "after", "count", "\n", "\n\n", *NAMES,
        ),
    ),
)  # fmt: skip
