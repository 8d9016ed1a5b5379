"""Choose the transport for the broker of a Celery app, and set time-outs on its connection."""

import re
from typing import Any

from celery import Celery
from kombu import Connection

from beatd.errors import ConfigError
from beatd.publishers.filesystem import Filesystem
from beatd.publishers.kombu_channel import KombuChannel
from beatd.publishers.message import Transport, one_line
from beatd.publishers.rabbitmq import RabbitMQ
from beatd.publishers.redis_lists import RedisLists


def connection_of(app: Celery, timeout: float, *, reads: bool = False) -> Connection:
    """Return a kombu connection to the app's broker, not open yet, with time-outs in seconds.

    If `reads`, it is the app's connection for reading. Raises ConfigError for a URL that kombu
    cannot use.
    """
    try:
        connection: Connection = app.connection_for_read() if reads else app.connection_for_write()
        kind = connection.transport.driver_type
    except KeyError as error:
        raise ConfigError(
            f"broker.url: kombu knows no transport like {kind_of(app)!r}; try redis:// or amqp://"
        ) from error
    except Exception as error:
        # A transport without its library may raise anything.
        reason = one_line(error)
        if found := re.search(r"unexpected keyword argument '(\w+)'", reason):
            reason = f"kombu knows no option {found[1]!r}; others go under transport_options"
        elif isinstance(error, NameError):
            reason = f"the library of {kind_of(app)} seems to be missing ({reason})"
        raise ConfigError(f"broker.url: cannot be used: {reason}") from error
    connection.transport_options = {
        **waits(kind, connection.hostname or "", timeout),
        **connection.transport_options,
    }
    connection.connect_timeout = min(timeout, connection.connect_timeout or timeout)
    return connection


def kind_of(app: Celery) -> str:
    """Return the scheme of the app's broker URL, such as "redis" or "amqp"."""
    return str(app.conf.broker_write_url or "").partition(":")[0]


def waits(kind: str, host: str, timeout: float) -> dict[str, Any]:
    """Return kombu transport options that end each wait after `timeout` seconds.

    `kind` is kombu's driver type; `host` is the database URL if `kind` is "sql".
    """
    if kind == "redis":
        sockets = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        return {**sockets, "sentinel_kwargs": sockets}
    if kind == "sqs":
        # One attempt: the engine retries.
        once = {"total_max_attempts": 1}
        config = {"connect_timeout": timeout, "read_timeout": timeout, "retries": once}
        return {"client-config": config}
    if kind == "sql":
        sqlite = {"connect_args": {"timeout": timeout}} if host.startswith("sqlite") else {}
        return {"pool_pre_ping": True, **sqlite}
    return {}


def transport_to(connection: Connection, timeout: float) -> Transport:
    """Return the transport for the connection's broker.

    It is a KombuChannel, which sends messages one by one, if beatd has no special transport.
    """
    kind = connection.transport.driver_type
    if kind == "redis":
        return RedisLists(connection=connection, timeout=timeout)
    if connection.transport.driver_name == "py-amqp":
        return RabbitMQ(connection=connection, timeout=timeout)
    if kind == "sql":
        from beatd.publishers.sqlalchemy import Sqlalchemy

        return Sqlalchemy(connection=connection, timeout=timeout)
    if kind == "sqs":
        from beatd.publishers.sqs import Sqs

        return Sqs(connection=connection, timeout=timeout)
    if connection.transport.driver_name == "filesystem":
        return Filesystem(connection=connection, timeout=timeout)
    return KombuChannel(connection=connection, timeout=timeout)
