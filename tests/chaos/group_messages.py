"""Take the messages of a group from a broker, in batches, as they arrive."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import redis
from kombu import Connection
from msgspec import Struct

QUEUE = "groups"
WAIT_S = 0.005
AT_ONCE = 1000


class Sent(Struct, frozen=True):
    """A message; `member` is its arguments as text, and `pid` the process that sent it."""

    planned: str
    member: str
    id: str
    group: str
    run: str
    pid: int


Take = Callable[[], Sequence[Sent]]


def sent_from(headers: Mapping[str, Any]) -> Sent:
    return Sent(
        planned=headers["beatd_planned_at"],
        member=headers["argsrepr"],
        id=headers["id"],
        group=headers["group"],
        run=headers["beatd_run"],
        pid=int(headers["origin"].removeprefix("gen").partition("@")[0]),
    )


@contextmanager
def messages_in(url: str) -> Iterator[Take]:
    """Yield a function that removes and returns the messages that wait in the queue."""
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as server:
            yield lambda: _from_redis(server)
        return
    with Connection(url) as connection:
        found: list[Sent] = []
        queue = connection.SimpleQueue(QUEUE, no_ack=True)
        with closing(queue):
            queue.consumer.callbacks = [lambda _, message: found.append(sent_from(message.headers))]
            queue.consumer.consume(no_ack=True)

            def take() -> Sequence[Sent]:
                with suppress(TimeoutError):
                    connection.drain_events(timeout=WAIT_S)
                taken, found[:] = list(found), []
                return taken

            yield take


def _from_redis(server: "redis.Redis") -> Sequence[Sent]:
    raw: Any = server.rpop(QUEUE, AT_ONCE)
    if raw is None:
        # It waits for the first of the next.
        one: Any = server.brpop([QUEUE], WAIT_S)
        raw = [one[1]] if one else []
    return [sent_from(json.loads(text)["headers"]) for text in raw]
