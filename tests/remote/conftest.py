"""Commands on a SQLite store, and the same commands over the API of a served application on it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from shutil import copy2
from typing import Any

import pytest

import beatd.cli.list as list_command
from beatd import secret
from beatd.clock import SystemClock
from beatd.daemon.store_status import status_in
from beatd.definition import codec
from beatd.observers.metrics import Metrics
from beatd.remote.remote_daemon import RemoteDaemon
from beatd.store import Roles, Store
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.http_server import HttpServer
from beatd.web.site import Site, SiteSettings
from beatd.wiring.backends import open_store
from tests.cli.conftest import Beatd, Ended, beatd
from tests.web.conftest import Serve, serve
from tests.web.demo_store import fill, lead
from tests.web.site import NOON, SECRETS, TOKENS, WELL, serving, visitors

__all__ = ["beatd", "serve"]

ZONE = "Europe/Berlin"
#: The entries were written this long before the commands run.
AGE = timedelta(seconds=17)


@pytest.fixture(autouse=True)
def known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command learns to hide is not hidden in the messages of later tests."""
    monkeypatch.setattr(secret, "_known", secret._Known())


class Pair:
    """The same command on a store, and over the API of a daemon of a copy of that store."""

    def __init__(self, beatd: Beatd, url: str) -> None:
        self._beatd, self._url = beatd, url

    def local(self, *words: object) -> Ended:
        return self._beatd("-c", "config.yaml", *words)

    def remote(self, *words: object) -> Ended:
        return self._beatd("--url", self._url, *words)


def url_of(server: HttpServer) -> str:
    host, port = server.address[:2]
    return f"http://{host}:{port}"


def site_on(open_roles: Any, *, shares_store: bool = False) -> Site:
    """Return the site of a daemon on a store, whose status is that of the store."""

    def status() -> dict[str, Any]:
        roles = open_roles()
        return status_in(
            catalog=roles.catalog,
            requests=roles.requests,
            history=roles.history,
            outcomes=roles.outcomes,
            terms=roles.terms,
            presences=roles.presences,
            now=NOON,
            incidents=roles.incidents,
        )

    return Site(
        open_store=open_roles,
        clock=SystemClock(),
        health=lambda: WELL,
        status=status,
        metrics=Metrics(),
        settings=SiteSettings(timezone=ZONE, writes=True),
        shares_store=shares_store,
    )


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of an editor, in the environment."""
    monkeypatch.setenv("BEATD_TOKEN", SECRETS["edna"])
    return SECRETS["edna"]


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clocks stand still, so that "in 5 min" is the same in two outputs."""
    monkeypatch.setattr(SystemClock, "now", lambda self: NOON)
    monkeypatch.setattr(RemoteDaemon, "now", lambda self: NOON)
    monkeypatch.setattr(list_command, "_quick_list", lambda *given: None)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with sixty entries and their past."""
    path = tmp_path_factory.mktemp("remote") / "demo.db"
    with closing(opened(path)) as store:
        fill(store, NOON - AGE)
        lead(store, NOON - AGE, late_max=0.05)
    return path


@pytest.fixture
def pair(
    tmp_path: Path,
    filled: Path,
    beatd: Beatd,
    token: str,
    at_noon: None,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pair]:
    """Commands on a copy of the filled store, and over the API on another copy."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(
        "broker: {url: 'memory://'}\nstore: {url: 'sqlite:///here.db'}\ntimezone: Europe/Berlin\n"
    )
    for name in ("here.db", "there.db"):
        copy2(filled, name)
    with closing(opened(tmp_path / "there.db")) as store:
        site = site_on(lambda: Roles.of(store), shares_store=True)
        yield Pair(beatd, url_of(serve(serving(who=visitors(TOKENS), site=site))))


def opened(path: Path) -> Store:
    url = f"sqlite:///{path}"
    return open_store(url, codec=codec, clock=SystemClock(), if_absent="create")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=SystemClock())


@pytest.fixture
def served(serve: Serve, store: MemoryStore) -> str:
    """The URL of a daemon on an empty store in memory."""
    site = site_on(lambda: Roles.of(store), shares_store=True)
    return url_of(serve(serving(who=visitors(TOKENS), site=site)))
