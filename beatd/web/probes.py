"""Serve /live, /ready, /metrics and /status, for probes and dashboards."""

from msgspec import json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.observers.health import Health
from beatd.observers.metrics import Metrics
from beatd.web.answers import PLAIN_TEXT
from beatd.web.site import Site

#: Paths that need no visitor and are answered for any Host header: probes and scrapers call a
#: daemon by many names, and these answers contain figures only.
PROBES = ("/live", "/ready", "/metrics")
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


# On the event loop, not on one of the few threads, which may all wait for the store.
async def live(request: Request) -> Response:
    """Return status 200 if the scheduler works, with its last tick's age; else 503 and the
    reason."""
    health = _site(request).health()
    text = health.trouble or f"last tick {health.tick_age:.1f} s ago"
    return _plain_text(not health.trouble, text)


async def ready(request: Request) -> Response:
    """Return status 200 if the daemon leads or stands by, or 503 and what it waits for."""
    health = _site(request).health()
    state = "leading" if health.leading else "standing by"
    return _plain_text(not health.waits_for, health.waits_for or state)


async def metrics(request: Request) -> Response:
    """Return the daemon's metrics in the text format of Prometheus."""
    site = _site(request)
    set_gauges(site.metrics, site.health())
    return Response(site.metrics.page(), headers={"Content-Type": METRICS_TYPE})


def status(request: Request) -> Response:
    """Return the state of the daemons, the store and the broker as JSON, like `beatd status
    --json`."""
    text = json.format(json.encode(_site(request).status()), indent=2)
    return Response(text, headers={"Content-Type": "application/json"})


def set_gauges(metrics: Metrics, health: Health) -> None:
    """Set the Prometheus gauges to the values of the daemon's health."""
    metrics.leader.set(health.leading)
    metrics.tick_age.set(health.tick_age)
    metrics.store_ok.set(health.store_ok)
    metrics.broker_ok.set(health.broker_ok)
    metrics.lock_ok.set(health.lock_ok)
    metrics.skew.set(health.clock_offset)
    metrics.lease_margin.set(health.lease_margin)
    metrics.entries.set(health.entries)


def routes() -> list[Route]:
    """Return the Starlette routes of /live, /ready, /metrics and /status."""
    handlers = {"/live": live, "/ready": ready, "/metrics": metrics, "/status": status}
    return [Route(path, handler) for path, handler in handlers.items()]


def _plain_text(good: bool, text: str) -> Response:
    return Response(text.encode() + b"\n", 200 if good else 503, {"Content-Type": PLAIN_TEXT})


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
