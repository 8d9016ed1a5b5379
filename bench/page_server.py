"""Serve the pages of a store that `bench/page_store.py` filled: `page_server.py URL PORT`.

Nobody needs to sign in: each visitor is an editor. Now is the moment at which the store was filled,
so that nothing becomes overdue. A POST to FORGET drops the kept results of the pages.
"""

import gc
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from beatd.clock import SystemClock  # noqa: E402
from beatd.definition import codec  # noqa: E402
from beatd.observers.health import Health  # noqa: E402
from beatd.observers.metrics import Metrics  # noqa: E402
from beatd.store import Roles  # noqa: E402
from beatd.web.application import application  # noqa: E402
from beatd.web.http_hosts import HttpHosts  # noqa: E402
from beatd.web.http_server import HttpServer  # noqa: E402
from beatd.web.kept import kept_of  # noqa: E402
from beatd.web.site import Site, SiteSettings  # noqa: E402
from beatd.web.visitor import Visitor  # noqa: E402
from beatd.web.visitors import Visitors  # noqa: E402
from beatd.wiring.backends import open_store  # noqa: E402
from bench.page_store import filled_at  # noqa: E402
from tests.web.demo_store import lead  # noqa: E402
from tests.web.site import WELL  # noqa: E402

FORGET = "/bench/forget"


class OnlyEditors(Visitors):
    """Takes each visitor for an editor."""

    def of(self, request: Request) -> Visitor:
        return Visitor("edna", "editor")


class FrozenSite(Site):
    """A site on which it is always the same moment; the store's clock is asked nevertheless."""

    moment: datetime

    def now(self) -> datetime:
        super().now()
        return self.moment


def forget(request: Request) -> Response:
    kept_of(request).clear()
    return Response(status_code=204)


def well() -> Health:
    return WELL


def serve(url: str, port: int) -> HttpServer:
    """Return a server of the store's pages."""
    store = open_store(url, codec=codec, clock=SystemClock())
    moment = filled_at(store)
    assert moment is not None, f"{url} was not filled by bench/page_store.py"
    lead(store, moment)
    site = FrozenSite(
        open_store=lambda: Roles.of(store),
        clock=SystemClock(),
        health=well,
        status=dict,
        metrics=Metrics(),
        settings=SiteSettings(timezone="Europe/Berlin", judges=True, writes=True),
        shares_store=True,
    )
    site.moment = moment
    made = application(site, HttpHosts("127.0.0.1", port), OnlyEditors(only_here=True))
    made.inner.router.routes[:0] = [Route(FORGET, forget, methods=["POST"])]
    return HttpServer("127.0.0.1", port, made)


if __name__ == "__main__":
    server = serve(sys.argv[1], int(sys.argv[2]))
    gc.freeze()
    gc.disable()  # a daemon collects while it is idle (beatd/daemon/idle_gc.py)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    print("ready", flush=True)
    ended.wait()
