"""When messages reach the broker, seen from outside of whoever sends them."""

import json
import time
from collections.abc import Callable
from typing import Any

import redis

POLL = 0.001
PATIENCE = 0.05


def queue_of(broker: str, name: str) -> "RedisQueue | RabbitQueue":
    return RedisQueue(broker, name) if broker.startswith("redis") else RabbitQueue(broker, name)


class RedisQueue:
    def __init__(self, url: str, name: str) -> None:
        self.server, self.name = redis.Redis.from_url(url), name
        self.server.delete(name)

    def depth(self) -> int:
        return int(self.server.llen(self.name))  # type: ignore[arg-type]

    def take(self, most: int = 10_000) -> list[bytes]:
        """Oldest first."""
        return self.server.rpop(self.name, most) or []  # type: ignore[return-value]

    def next(self, patience: float) -> list[bytes]:
        """As soon as there is one, as a worker waits for it: polling would keep Redis busy."""
        answer = self.server.execute_command(
            "BLMPOP", patience, 1, self.name, "RIGHT", "COUNT", 10_000
        )
        return answer[1] if answer else []

    def close(self) -> None:
        self.server.delete(self.name)
        self.server.close()


class RabbitQueue:
    def __init__(self, url: str, name: str) -> None:
        import amqp

        self.name = name
        host = url.partition("@")[2].strip("/")
        self.connection = amqp.Connection(host)
        self.connection.connect()
        self.channel = self.connection.channel()
        self.channel.queue_declare(name, durable=True, auto_delete=False)
        # What a worker would declare, so that every sender finds its route.
        self.channel.exchange_declare(name, "direct", durable=True, auto_delete=False)
        self.channel.queue_bind(name, name, name)
        self.channel.queue_purge(name)

    def depth(self) -> int:
        return int(self.channel.queue_declare(self.name, passive=True).message_count)

    def take(self, most: int = 10_000) -> list[bytes]:
        taken = []
        while len(taken) < most and (message := self.channel.basic_get(self.name, no_ack=True)):
            headers = message.headers
            taken.append(json.dumps({"headers": headers}, default=str).encode())
        return taken

    def next(self, patience: float) -> list[bytes]:
        taken = self.take()
        if not taken:
            time.sleep(POLL)
        return taken

    def close(self) -> None:
        self.channel.queue_delete(self.name)
        self.channel.exchange_delete(self.name)
        self.connection.close()


def growth(
    queue: "RedisQueue | RabbitQueue", count: int, at: float, patience: float
) -> list[tuple[float, int]]:
    """(time, how many more) until all of a herd are there, or patience ends."""
    seen, steps = queue.depth(), []
    while seen < count and time.time() < at + patience:
        if time.time() < at - 0.05:
            time.sleep(0.01)
            continue
        there = queue.depth()
        if there > seen:
            steps.append((time.time(), there - seen))
            seen = there
        time.sleep(POLL)
    return steps


def taken(
    queue: "RedisQueue | RabbitQueue", until: Callable[[float], bool]
) -> list[tuple[float, dict[str, Any]]]:
    """(time, headers) of every message, taken off as it arrives."""
    raw: list[tuple[float, list[bytes]]] = []
    while not until(time.time()):
        if messages := queue.next(PATIENCE):
            raw.append((time.time(), messages))
    return [(at, json.loads(one)["headers"]) for at, many in raw for one in many]


def first(queue: "RedisQueue | RabbitQueue", patience: float) -> float | None:
    """When the first message is there; None when patience ends before."""
    end = time.time() + patience
    while time.time() < end:
        if queue.depth():
            return time.time()
        time.sleep(POLL)
    return None
