"""The probes of a daemon, asked without a server."""

import asyncio
from collections.abc import Callable
from typing import Any

from beatd.observers.health import Health
from beatd.observers.metrics import Metrics
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.site import Site, SiteSettings
from tests.web.site import no_store, stopped_clock, visitors


class Probes:
    """Answers GET requests of this machine, in the thread of the test."""

    def __init__(
        self, health: Callable[[], Health], metrics: Metrics, status: Callable[[], dict[str, Any]]
    ) -> None:
        site = Site(
            open_store=no_store,
            clock=stopped_clock(),
            health=health,
            status=status,
            metrics=metrics,
            settings=SiteSettings(),
        )
        self._app = application(site, HttpHosts("127.0.0.1", 9753), visitors())

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return the status, the type and the body of the answer."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 9753),
            "state": {},
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self._app(scope, receive, send))
        headers = dict(sent[0]["headers"])
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], headers[b"content-type"].decode(), body
