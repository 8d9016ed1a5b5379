"""Looking into brokers: every message as it lies there."""

import json
from typing import Any
from uuid import uuid4

import amqp
import redis
from kombu import Connection


def redis_lists(url: str) -> dict[str, list[dict[str, Any]]]:
    """Queue by queue, in the order they would be consumed; the lists are emptied."""
    found: dict[str, list[dict[str, Any]]] = {}
    with redis.Redis.from_url(url) as server:
        for key in server.scan_iter(_type="LIST"):
            raw = server.lrange(key, 0, -1)
            server.delete(key)
            found[key.decode("unicode_escape")] = [json.loads(one) for one in reversed(raw)]
    return found


def rabbit_queue(channel: amqp.Channel, queue: str) -> list[amqp.Message]:
    found = []
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(message)
    return found


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


def delete(url: str, queue: str) -> None:
    """With the exchange that celery declares beside it."""
    with Connection(url) as connection:
        connection.default_channel.queue_delete(queue)
        connection.default_channel.exchange_delete(queue)
