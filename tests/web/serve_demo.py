"""Serve the pages of the demo's store, to look at them: `python -m tests.web.serve_demo [PORT]`.

Nobody needs to sign in: each visitor is an editor. The entries of the store do not run.
"""

import sys
import threading
from datetime import UTC, datetime

from starlette.requests import Request

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.observers.metrics import Metrics
from beatd.store import Roles
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import HttpServer
from beatd.web.site import Site, SiteSettings
from beatd.web.visitor import Visitor
from beatd.web.visitors import Visitors
from beatd.wiring.backends import open_store
from tests.web.demo_store import fill
from tests.web.site import WELL


class OnlyEditors(Visitors):
    """Takes each visitor for an editor."""

    def of(self, request: Request) -> Visitor:
        return Visitor("edna", "editor")


def serve(port: int) -> HttpServer:
    """Return a server of the pages of a new store in memory, which has the demo's entries."""
    store = open_store("memory:", codec=codec, clock=SystemClock())
    fill(store, datetime.now(UTC))
    site = Site(
        open_store=lambda: Roles.of(store),
        clock=SystemClock(),
        health=lambda: WELL,
        status=dict,
        metrics=Metrics(),
        settings=SiteSettings(timezone="Asia/Shanghai", judges=True, writes=True),
        shares_store=True,
    )
    hosts = HttpHosts("127.0.0.1", port)
    return HttpServer("127.0.0.1", port, application(site, hosts, OnlyEditors(only_here=True)))


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9753
    server = serve(port)
    sys.stdout.write(f"http://127.0.0.1:{port}/\n")
    sys.stdout.flush()
    threading.Event().wait()
