"""A served application on a store in memory, and a client of its API."""

import pytest

from beatd.definition import codec
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.http_server import HttpServer
from tests.web.api.client import Client
from tests.web.conftest import Serve
from tests.web.site import TOKENS, site_with, stopped_clock, visitors


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=stopped_clock())


@pytest.fixture
def api_server(serve: Serve, store: MemoryStore) -> HttpServer:
    site = site_with(lambda: Roles.of(store), shares_store=True)
    return serve(who=visitors(TOKENS), site=site)


@pytest.fixture
def api(api_server: HttpServer) -> Client:
    return Client(api_server)
