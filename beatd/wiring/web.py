"""Build the web server that a configuration describes.

Only a configuration with `http` imports this module: its libraries take a third of a second.
"""

import logging
import sys
from collections.abc import Callable
from ipaddress import ip_network

from beatd.clock import SystemClock
from beatd.config import Config, schemes
from beatd.config.tls_files import tls_context
from beatd.config.urls import on_loopback
from beatd.config.values import Http
from beatd.daemon.daemon import Daemon
from beatd.daemon.status import health_of
from beatd.errors import StoreError
from beatd.observers.metrics import Metrics
from beatd.publishers.queue_state import QueueState
from beatd.store import Roles
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import HttpServer
from beatd.web.proxy import Proxy
from beatd.web.site import Site, SiteSettings
from beatd.web.tokens import Token, Tokens
from beatd.web.visitors import Visitors
from beatd.wiring.configured_store import configured_store

log = logging.getLogger("beatd")

#: A thread that computes gives way after this time; Python's default is 5 ms. Measured beside 50
#: pages a second of 15 ms each: the delay that nine of ten ticks stay below is 40 % shorter.
SWITCH_INTERVAL_S = 0.001


class Web:
    """The web server of one daemon, which serves from the call of `open` to that of `close`."""

    def __init__(self, config: Config, http: Http, metrics: Metrics) -> None:
        self._config, self._http, self._metrics = config, http, metrics
        self._tls = None if http.tls is None else tls_context(http.tls.cert, http.tls.key)
        self._site: Site | None = None
        self._server: HttpServer | None = None

    def open(self, daemon: Daemon, status: Callable[[], dict[str, object]]) -> None:
        """Start to serve; `status` returns the content of /status.

        Raises BeatError if the address is in use or does not belong to this host.
        """
        http = self._http
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._site = site_of(self._config, daemon, status, self._metrics)
        hosts = HttpHosts(http.host, http.port, http.hosts)
        made = application(self._site, hosts, visitors_of(http))
        self._server = HttpServer(http.host, http.port, made, self._tls)
        if http.tls is None and not on_loopback(http.host):
            log.warning(
                "http: other machines reach %s:%d without TLS, so that tokens can be read on the "
                "way; give http.tls, or bind to 127.0.0.1 behind a proxy",
                *(http.host, http.port),
            )

    def close(self) -> None:
        """Stop serving, and close every connection and the store."""
        if self._server is not None:
            self._server.close()
        if self._site is not None:
            self._site.close()


def site_of(
    config: Config, daemon: Daemon, status: Callable[[], dict[str, object]], metrics: Metrics
) -> Site:
    """Return the objects that the web pages and the API of this daemon use, such as its store."""
    clock = SystemClock()
    shares = schemes.scheme_of(config.store.url) == "memory"
    http = config.http

    def own_store() -> Roles:
        timeout_s = config.lock.ttl.total_seconds()
        return Roles.of(configured_store(config, clock=clock, timeout_s=timeout_s))

    return Site(
        open_store=lambda: _store_of(daemon) if shares else own_store(),
        shares_store=shares,
        clock=clock,
        health=lambda: health_of(daemon),
        status=status,
        wake=daemon.wake,
        rests_for=daemon.rests_for,
        queue_of=lambda entry: QueueState(name=daemon.queue_of(entry)),
        metrics=metrics,
        settings=SiteSettings(
            name=config.name,
            source=config.source,
            timezone=config.timezone,
            defaults=config.defaults,
            outcomes_from=config.outcomes.read_from,
            judges=config.alerts is not None,
            writes=http is not None and bool(http.tokens or http.proxy),
        ),
    )


def visitors_of(http: Http) -> Visitors:
    """Return the rules by which visitors of the pages and the API are recognised."""
    proxy = None
    if http.proxy is not None:
        addresses = tuple(ip_network(address) for address in http.proxy.addresses)
        proxy = Proxy(http.proxy.user_header, addresses, http.proxy.roles)
    return Visitors(
        Tokens(Token.of(one.name, one.role, one.secret) for one in http.tokens),
        proxy,
        only_here=on_loopback(http.host),
    )


def _store_of(daemon: Daemon) -> Roles:
    # A store in memory has no other way to its content.
    if daemon.store is None:
        raise StoreError("not open yet")
    return daemon.store
