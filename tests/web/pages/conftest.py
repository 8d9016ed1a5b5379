"""Pages served from a store in memory and from SQLite, filled with the demo or left empty."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from beatd.definition import codec
from beatd.entry import Entry
from beatd.observers.health import Health
from beatd.observers.metrics import Metrics
from beatd.publishers.queue_state import QueueState
from beatd.store import Roles
from beatd.web.http_server import HttpServer
from beatd.web.site import Site, SiteSettings
from beatd.wiring.backends import open_store
from tests.web.demo_store import fill
from tests.web.site import (
    NOW,
    SECRETS,
    TOKENS,
    WELL,
    Answered,
    ask,
    serving,
    stopped_clock,
    visitors,
)


class Shown:
    """A served store, and the requests of people with the three roles."""

    def __init__(self, store: Any) -> None:
        self.store, self.woken, self.health = store, 0, WELL
        self.now, self.clock = NOW, stopped_clock()
        site = Site(
            open_store=lambda: Roles.of(store),
            clock=self.clock,
            health=self._health,
            status=dict,
            wake=self._wake,
            queue_of=lambda entry: QueueState(name="celery"),
            metrics=Metrics(),
            settings=SiteSettings(timezone="Asia/Shanghai", judges=True, writes=True),
            shares_store=True,
        )
        self.server: HttpServer = serving(who=visitors(TOKENS), site=site)

    def _wake(self) -> None:
        self.woken += 1

    def _health(self) -> Health:
        return self.health

    def get(self, path: str, who: str = "vera", **headers: str) -> Answered:
        return ask(self.server, path, token=SECRETS[who], headers=headers)

    def text(self, path: str, who: str = "vera") -> str:
        answer = self.get(path, who)
        assert answer.status == 200, answer.text
        return answer.text

    def post(self, path: str, who: str, form: Sequence[tuple[str, str]]) -> Answered:
        return ask(self.server, path, "POST", token=SECRETS[who], body=urlencode(form))

    def fill(self, entries: Sequence[Entry] = ()) -> "Shown":
        fill(self.store, self.now, entries)
        return self


@pytest.fixture(params=["memory", "sqlite"])
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shown]:
    """An empty store."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'beatd.db'}"
    store = open_store(url, codec=codec, clock=stopped_clock())
    made = Shown(store)
    yield made
    made.server.close()
    store.close()


@pytest.fixture
def demo(shown: Shown) -> Shown:
    return shown.fill()
