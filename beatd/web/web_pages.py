"""Serve the pages /live, /ready, /metrics and /status, for probes and dashboards."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import json

from beatd.observers.health import Health
from beatd.observers.metrics import Metrics
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import Answer, HttpServer, serve


class WebPages:
    """Serves the web pages of one daemon, between the calls of `open` and `close`.

    `hosts` are further names that a request's Host header may have. `metrics` is an observer that
    counts the daemon's events.
    """

    def __init__(self, host: str, port: int, hosts: Sequence[str] = ()) -> None:
        self._host, self._port, self._hosts = host, port, HttpHosts(host, hosts)
        self.metrics = Metrics()
        self._server: HttpServer | None = None

    def open(self, health: Callable[[], Health], status: Callable[[], dict[str, Any]]) -> None:
        """Start to serve the pages; each request calls `health` or `status` for its content.

        Raise BeatError if the address is in use or does not belong to this host.
        """
        answers = PageAnswers(health, self.metrics, status)
        self._server = serve(self._host, self._port, self._hosts, answers)

    def close(self) -> None:
        """Stop serving the pages, and close every connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class PageAnswers:
    """Makes the pages /live, /ready, /metrics and /status from the daemon's current state."""

    def __init__(
        self,
        health: Callable[[], Health],
        metrics: Metrics,
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._health, self._metrics, self._status = health, metrics, status

    def answer(self, path: str) -> Answer:
        """Return the status code, the content type and the body of the page at `path`.

        The code is 404 for an unknown path, and 503 for /live or /ready if the daemon is not live
        or ready.
        """
        match path:
            case "/live":
                health = self._health()
                text = health.trouble or f"last tick {health.tick_age:.1f} s ago"
                return _plain_text(not health.trouble, text)
            case "/ready":
                health = self._health()
                state = "leading" if health.leading else "standing by"
                return _plain_text(not health.waits_for, health.waits_for or state)
            case "/metrics":
                self._set_gauges(self._health())
                return 200, "text/plain; version=0.0.4; charset=utf-8", self._metrics.page()
            case "/status":
                return 200, "application/json", json.format(json.encode(self._status()), indent=2)
            case _:
                return _plain_text(False, "here are /live /ready /metrics /status", code=404)

    def _set_gauges(self, health: Health) -> None:
        """Copy the daemon's health into the gauges of the metrics."""
        metrics = self._metrics
        metrics.leader.set(health.leading)
        metrics.tick_age.set(health.tick_age)
        metrics.store_ok.set(health.store_ok)
        metrics.broker_ok.set(health.broker_ok)
        metrics.lock_ok.set(health.lock_ok)
        metrics.skew.set(health.clock_offset)
        metrics.lease_margin.set(health.lease_margin)
        metrics.entries.set(health.entries)


def _plain_text(good: bool, text: str, code: int = 503) -> Answer:
    """Return a page of text with the status code 200 if `good` is True, else with `code`."""
    return 200 if good else code, "text/plain; charset=utf-8", text.encode() + b"\n"
