"""A server of the pages with a store in memory, and the people who visit it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from beatd.definition import codec
from beatd.edits.editing import rows
from beatd.errors import StoreError
from beatd.ledger import Request
from beatd.observers.metrics import Metrics
from beatd.store import Roles
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import HttpServer
from beatd.web.session import COOKIE, session_value
from beatd.web.site import Site, SiteSettings
from beatd.web.tokens import Token, Tokens
from beatd.wiring.backends import open_store
from tests.run.servers import free_port
from tests.web import demo_store
from tests.web.site import WELL, stopped_clock, visitors

ROLES = {"vera": "viewer", "otto": "operator", "edna": "editor", "emil": "editor"}
SECRETS = {name: f"{name}-{name[0] * 16}" for name in ROLES}
TOKENS = Tokens(Token.of(name, role, SECRETS[name]) for name, role in ROLES.items())


class Shop:
    """The pages of a store, which is None while it is away."""

    def __init__(self, port: int, store: Any) -> None:
        self.address, self.store = f"http://127.0.0.1:{port}", store
        site = Site(
            open_store=self.roles,
            clock=stopped_clock(),
            health=lambda: WELL,
            status=lambda: {"role": "leader"},
            metrics=Metrics(),
            settings=SiteSettings(name="shop", timezone="Asia/Shanghai", judges=True, writes=True),
            shares_store=True,
        )
        self.pages = application(site, HttpHosts("127.0.0.1", port), visitors(TOKENS))

    def roles(self) -> Roles:
        """Return the store. Raises StoreError while it is away."""
        if self.store is None:
            raise StoreError("redis://store.example:6379: Connection refused")
        return Roles.of(self.store)

    def cookie(self, name: str) -> dict[str, str]:
        """Return the cookie of a person who has signed in."""
        value = session_value(TOKENS.named(name))
        return {"name": COOKIE, "value": value, "url": self.address}

    def entry(self, name: str) -> Any:
        """Return the row of an entry."""
        return rows(self.store, [name])[name]

    def requests(self) -> list[Request]:
        """Return the runs that people asked for."""
        return [request for request, _ in self.store.requests(100)]


class Street:
    """A server that shows one shop at a time: a browser's page can be used for the next one, and
    need not be made anew."""

    def __init__(self) -> None:
        self._port = free_port()
        self._open: ASGIApp | None = None
        self._server = HttpServer("127.0.0.1", self._port, self._answer)

    def shop(self, store: Any) -> Shop:
        """Show a shop with this store."""
        shop = Shop(self._port, store)
        self.show(shop)
        return shop

    def show(self, shop: Shop) -> None:
        self._open = shop.pages

    def close(self) -> None:
        self._server.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._open is not None
        await self._open(scope, receive, send)


def filled_store(fill: Callable[..., None] = demo_store.fill) -> Any:
    """Return a store in memory with the entries of the demo, and their past."""
    clock = stopped_clock()
    store = open_store("memory://", codec=codec, clock=clock)
    fill(store, clock.now())
    return store


@contextmanager
def serving_shop() -> Iterator[Shop]:
    """Serve a shop from a server of its own."""
    street = Street()
    try:
        yield street.shop(filled_store())
    finally:
        street.close()
