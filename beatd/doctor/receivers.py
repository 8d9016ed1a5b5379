"""Look at whatever learns about runs: the result backend, channels of alerts, monitors.

A connection is tried; nothing is sent.
"""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import uuid4

from celery import Celery

from beatd.config import Config
from beatd.doctor.finding import Finding
from beatd.outcomes.result_backend import backend_trouble, results_of
from beatd.secret import channel_name
from beatd.wiring.alerting import is_webhook

PORTS = {"http": 80, "https": 443}


def result_findings(config: Config, app: Celery) -> Iterator[Finding]:
    """Yield whether the result backend answers, if outcomes are read from it."""
    if config.outcomes.read_from != "results":
        return
    if trouble := backend_trouble(app):
        text = f"outcomes: 'results' shows nothing: {trouble}; write reports, or off"
        yield Finding("error", "results", text)
        return
    try:
        results_of(app, [str(uuid4())])
    except Exception as error:  # each backend has its own
        text = str(error) or type(error).__name__
        yield Finding("error", "results", f"the result backend does not answer: {text}"[:300])
        return
    yield Finding("ok", "results", "the result backend answers")


def channel_findings(config: Config, timeout_s: float) -> Iterator[Finding]:
    """Yield whether the hosts of webhooks, of the heartbeat and of Sentry accept connections."""
    alerts = config.alerts
    for url in alerts.to if alerts is not None else ():
        if is_webhook(url):
            yield _connected("alerts", channel_name(url), url, timeout_s)
        else:
            shown = channel_name(url)
            text = f"{shown} is sent by Apprise; `beatd alerts test` tries it with a message"
            yield Finding("ok", "alerts", text)
    if alerts is not None and alerts.heartbeat is not None:
        yield _connected("alerts", "the heartbeat", alerts.heartbeat, timeout_s)
    if config.sentry is not None:
        yield _connected("monitors", "Sentry", config.sentry.dsn, timeout_s)


def _connected(subject: str, shown: str, url: str, timeout_s: float) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(host):
        through = urlsplit(proxy)
        host, port = through.hostname or "", through.port or PORTS.get(through.scheme, 80)
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding("error", subject, f"{shown}: no connection to {host}:{port}: {reason}")
    return Finding("ok", subject, f"{shown}: {host}:{port} accepts connections; nothing was sent")
