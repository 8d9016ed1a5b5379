"""Look at the broker: does it answer, which version is it, and does it keep what it is given?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from celery import Celery
from msgspec.structs import replace

from beatd.clock import Clock
from beatd.config import Config, Store, make_folders
from beatd.doctor.finding import Finding
from beatd.doctor.server_settings import settings_findings
from beatd.doctor.versions import server_version
from beatd.errors import BeatError
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.transports import connection_of, kind_of
from beatd.wiring import backends

REDIS_PORT = 6379


def broker_findings(
    config: Config, app: Celery, *, clock: Clock, timeout_s: float
) -> Iterator[Finding]:
    """Yield whether the broker answers, its version, and its settings that may lose messages."""
    make_folders(replace(config, store=Store(url="memory:")))  # of an embedded broker
    publisher = CeleryPublisher(app=app, timeout=timeout_s)
    try:
        if not publisher.reachable():
            why = publisher.trouble() or "no answer in time"
            text = (
                f"does not answer: {why.removesuffix('.')}; is it running, and is broker.url right?"
            )
            yield Finding("error", "broker", text)
            return
    finally:
        publisher.close()
    url = str(app.conf.broker_write_url or "")
    kind = kind_of(app)
    if kind in ("amqp", "amqps", "pyamqp"):
        yield from _rabbitmq(app, timeout_s)
    elif kind in ("redis", "rediss", "unix"):
        yield from _redis(config, url, clock, timeout_s)
    else:
        yield Finding("ok", "broker", f"{kind}: answers")


def _rabbitmq(app: Celery, timeout_s: float) -> Iterator[Finding]:
    with connection_of(app, timeout_s) as connection:
        connection.ensure_connection(max_retries=1, timeout=timeout_s)
        properties = connection.connection.server_properties
        place = f"{connection.hostname}:{connection.port or 5672}"
    product, version = str(properties.get("product", "")), str(properties.get("version", ""))
    if product != "RabbitMQ":
        yield Finding("ok", "broker", f"{product or 'AMQP'} {version} at {place} answers")
        return
    name, too_old = server_version("rabbitmq", version)
    yield Finding("ok", "broker", f"{name} at {place} answers")
    if too_old:
        yield Finding("error", "broker", too_old)


def _redis(config: Config, url: str, clock: Clock, timeout_s: float) -> Iterator[Finding]:
    try:
        facts = backends.store_facts(
            url, clock=clock, prefix=config.store.prefix, timeout=timeout_s
        )
    except BeatError:  # kombu reads some URLs in its own way; it has just connected
        facts = None
    if facts is None:
        yield Finding("ok", "broker", "Redis answers")
        return
    name, too_old = server_version(facts.kind, facts.version)
    yield Finding("ok", "broker", f"{name} at {facts.place} answers")
    if too_old:
        yield Finding("error", "broker", too_old)
    if facts.refusal:
        yield Finding("error", "broker", f"refuses writes: {facts.refusal}")
    if _server_of(url) != _server_of(config.store.url):  # the store's findings have it already
        yield from settings_findings(facts, "broker")


def _server_of(url: str) -> tuple[str | None, int] | None:
    """Return the host and the port of a Redis URL, or None if the URL is of something else."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        return None
    return parts.hostname, parts.port or REDIS_PORT
