"""/live /ready /metrics /status: what probes and dashboards ask, answered from the beat itself."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import json

from beatd.daemon import Daemon
from beatd.http_hosts import Hosts
from beatd.http_server import Answer, Server, serve
from beatd.observers.metrics import Metrics


class Web:
    """Counts from the beginning what it shows from `open` on."""

    def __init__(self, host: str, port: int, hosts: Sequence[str] = ()) -> None:
        self._host, self._port, self._hosts = host, port, Hosts(host, hosts)
        self.metrics = Metrics()
        self._server: Server | None = None

    def open(self, daemon: Daemon, status: Callable[[], dict[str, Any]]) -> None:
        """Listening when it returns. An address that is taken or not ours is a BeatError."""
        pages = Pages(daemon, self.metrics, status)
        self._server = serve(self._host, self._port, self._hosts, pages)

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class Pages:
    def __init__(
        self, daemon: Daemon, metrics: Metrics, status: Callable[[], dict[str, Any]]
    ) -> None:
        self._daemon, self._metrics, self._status = daemon, metrics, status

    def answer(self, path: str) -> Answer:
        match path:
            case "/live":
                trouble = self._daemon.trouble()
                said = trouble or f"last tick {self._daemon.tick_age():.1f} s ago"
                return _plain(not trouble, said)
            case "/ready":
                return _plain(self._daemon.ready(), self._why())
            case "/metrics":
                self._gauges()
                return 200, "text/plain; version=0.0.4; charset=utf-8", self._metrics.page()
            case "/status":
                return 200, "application/json", json.format(json.encode(self._status()), indent=2)
            case _:
                return _plain(False, "here are /live /ready /metrics /status", code=404)

    def _why(self) -> str:
        engine, daemon = self._daemon.engine, self._daemon
        if trouble := daemon.trouble():
            return trouble
        if engine is None or not engine.store_ok:
            return f"waiting for the store: {daemon.store_trouble() or 'not open yet'}"
        if not engine.broker_ok:
            return f"waiting for the broker: {daemon.broker_trouble() or 'no answer'}"
        if trouble := daemon.lock_trouble():
            return f"waiting for the lock: {trouble}"
        if not daemon.ready():
            return "nobody is known to lead yet"
        return "leading" if daemon.leading() else "standing by"

    def _gauges(self) -> None:
        metrics, daemon = self._metrics, self._daemon
        engine, election = daemon.engine, daemon.election
        metrics.leader.set(daemon.leading())
        metrics.tick_age.set(daemon.tick_age())
        metrics.store_ok.set(bool(engine and engine.store_ok))
        metrics.broker_ok.set(bool(engine and engine.broker_ok))
        metrics.lock_ok.set(daemon.lock_ok)
        metrics.skew.set(daemon.clock_offset)
        metrics.lease_margin.set(election.margin() if election else 0)
        metrics.entries.set(daemon.entries)


def _plain(good: bool, text: str, code: int = 503) -> Answer:
    return 200 if good else code, "text/plain; charset=utf-8", text.encode() + b"\n"
