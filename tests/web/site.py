"""A web server on a free port with a site of the test's, and how to send it requests."""

import http.client
import socket
import ssl
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from beatd.errors import StoreError
from beatd.observers.health import Health
from beatd.observers.metrics import Metrics
from beatd.store import Roles
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import HttpServer
from beatd.web.session import COOKIE, SECURE_COOKIE
from beatd.web.site import Site, SiteSettings
from beatd.web.tokens import Token, Tokens
from beatd.web.visitors import Visitors
from tests.fake_clock import FakeClock
from tests.process import PATIENCE

WELL = Health(
    trouble="",
    waits_for="",
    leading=True,
    tick_age=0.1,
    store_ok=True,
    broker_ok=True,
    lock_ok=True,
    clock_offset=0.0,
    lease_margin=1.0,
    entries=3,
)
SECRETS = {"vera": "vera-" + "v" * 16, "otto": "otto-" + "o" * 16, "edna": "edna-" + "e" * 16}
TOKENS = Tokens(
    Token.of(name, role, SECRETS[name])
    for name, role in (("vera", "viewer"), ("otto", "operator"), ("edna", "editor"))
)
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
#: The time of the pages: no entry of the demo is due then, or in the next seconds.
NOW = NOON + timedelta(minutes=3, seconds=20)


def stopped_clock() -> FakeClock:
    """Return a clock that shows NOW until the test moves it."""
    return FakeClock(NOW.isoformat())


def no_store() -> Roles:
    raise StoreError("the store is away")


def site_with(store: Callable[[], Roles] = no_store, *, shares_store: bool = False) -> Site:
    return Site(
        open_store=store,
        clock=stopped_clock(),
        health=lambda: WELL,
        status=lambda: {"role": "leader"},
        metrics=Metrics(),
        settings=SiteSettings(),
        shares_store=shares_store,
    )


def visitors(tokens: Tokens | None = None, **given: object) -> Visitors:
    return Visitors(tokens, **{"only_here": True, **given})


def serving(
    routes: Iterable[BaseRoute] = (),
    who: Visitors | None = None,
    *,
    host: str = "127.0.0.1",
    hosts: Iterable[str] = (),
    site: Site | None = None,
    tls: ssl.SSLContext | None = None,
) -> HttpServer:
    """Return a server of the application with further routes; its port is a free one."""
    with socket.create_server((host, 0), family=_family(host)) as probe:
        port = probe.getsockname()[1]
    made = application(site or site_with(), HttpHosts(host, port, list(hosts)), who or visitors())
    made.inner.router.routes[:0] = list(routes)
    return HttpServer(host, port, made, tls)


def bare(app: ASGIApp) -> HttpServer:
    """Return a server of an application without the gate."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return HttpServer("127.0.0.1", port, app)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Answered(NamedTuple):
    status: int
    text: str
    headers: http.client.HTTPMessage


def ask(
    server: HttpServer,
    path: str = "/status",
    method: str = "GET",
    *,
    body: bytes | str | None = None,
    tls: ssl.SSLContext | None = None,
    token: str | None = None,
    cookie: str | None = None,
    headers: dict[str, str] | None = None,
    **more: str,
) -> Answered:
    """Send a request on a connection of its own; `_` in a header's name is `-`."""
    host, port = server.address[:2]
    client: http.client.HTTPConnection = (
        http.client.HTTPConnection(host, port, timeout=PATIENCE)
        if tls is None
        else http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=tls)
    )
    sent = {name.replace("_", "-"): value for name, value in more.items()} | (headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if cookie is not None:
        sent["Cookie"] = f"{COOKIE if tls is None else SECURE_COOKIE}={cookie}"
    try:
        client.request(method, path, body=body, headers=sent)
        answer = client.getresponse()
        return Answered(answer.status, answer.read().decode(), answer.headers)
    finally:
        client.close()


def connected(server: HttpServer) -> socket.socket:
    return socket.create_connection(server.address[:2], timeout=PATIENCE)


def said_by(client: socket.socket) -> bytes:
    """Return all that the server sends until it ends the connection."""
    return client.makefile("rb").read()
