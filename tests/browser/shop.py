"""A server of the pages with a store in memory, and the people who visit it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.edits.editing import rows
from beatd.errors import StoreError
from beatd.ledger import Request
from beatd.observers.metrics import Metrics
from beatd.store import Roles
from beatd.web.session import COOKIE, session_value
from beatd.web.site import Site, SiteSettings
from beatd.web.tokens import Token, Tokens
from beatd.wiring.backends import open_store
from tests.web import demo_store
from tests.web.site import WELL, serving, visitors

ROLES = {"vera": "viewer", "otto": "operator", "edna": "editor", "emil": "editor"}
SECRETS = {name: f"{name}-{name[0] * 16}" for name in ROLES}
TOKENS = Tokens(Token.of(name, role, SECRETS[name]) for name, role in ROLES.items())


class Shop:
    """The address of a server and the store that it shows; None while the store is away."""

    def __init__(self) -> None:
        self.address = ""
        self.store: Any = None

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


@contextmanager
def serving_shop(fill: Callable[..., None] | None = demo_store.fill) -> Iterator[Shop]:
    """Serve the pages of a store that `fill` has filled, or of none: the store is away while the
    shop has none."""
    clock = SystemClock()
    shop = Shop()
    if fill is not None:
        shop.store = open_store("memory://", codec=codec, clock=clock)
        fill(shop.store, clock.now())
    site = Site(
        open_store=shop.roles,
        clock=clock,
        health=lambda: WELL,
        status=lambda: {"role": "leader"},
        metrics=Metrics(),
        settings=SiteSettings(name="shop", timezone="Asia/Shanghai", judges=True, writes=True),
        shares_store=True,
    )
    server = serving(who=visitors(TOKENS), site=site)
    shop.address = f"http://127.0.0.1:{server.address[1]}"
    try:
        yield shop
    finally:
        server.close()


def nothing(store: Any, now: object) -> None:
    """Leave the store empty."""
