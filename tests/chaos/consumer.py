"""Write down each message with the moment of its arrival: `python -m tests.chaos.consumer URL`.

It prints one line of JSON for each. It is a process of its own, connected to the broker itself and
not through a cable, so that it stamps an arrival at once. No message is lost with a connection:
with Redis it is moved to another list, which is read at the end, and RabbitMQ delivers it again.
A copy of each message goes to the queue WORKED, which a Celery worker reads; a copy may be lost
with a connection. SIGTERM ends it.
"""

import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
from amqp.exceptions import AMQPError
from kombu import Connection, Consumer, Producer, Queue
from msgspec import json
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.chaos.arrivals import QUEUE, Arrival, arrival, queue
from tests.chaos.worker_app import WORKED

KEPT = f"{QUEUE}-kept"
WAIT_S = 0.5
CONNECT_S = 2.0
AGAIN_S = 0.02  # between two attempts to reach the broker
# Return all messages, the newest first, and move them. One step: what is pushed in one is here too.
TAKE_ALL = """
local found = redis.call('LRANGE', KEYS[1], 0, -1)
for place = #found, 1, -1 do redis.call('LPUSH', KEYS[2], found[place]) end
redis.call('DEL', KEYS[1])
return found
"""

Write = Callable[[Arrival], None]
Ended = Callable[[], bool]


def from_redis(url: str, write: Write, ended: Ended) -> None:
    written = Counter[str]()

    def add(at: float, message: bytes) -> None:
        one = arrival(at, json.decode(message)["headers"])
        written[one.task_id] += 1
        write(one)

    def copied(message: bytes) -> bytes:
        """Return the message as if it was sent to WORKED: a worker may put it back there."""
        plain = json.decode(message)
        plain["properties"]["delivery_info"] = {"exchange": "", "routing_key": WORKED}
        return json.encode(plain)

    client: Any = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    take_all = client.register_script(TAKE_ALL)
    while not ended():
        try:
            first = client.blmove(QUEUE, KEPT, WAIT_S, "RIGHT", "LEFT")
            if first is None:
                continue
            add(time.time(), first)
            rest = take_all([QUEUE, KEPT])
            at = time.time()
            for message in reversed(rest):
                add(at, message)
            client.lpush(WORKED, *map(copied, (first, *reversed(rest))))
        except (redis.RedisError, OSError):
            time.sleep(AGAIN_S)
    # Those that were moved, and the reply was lost: they came before now.
    for message in (*client.lrange(KEPT, 0, -1), *client.lrange(QUEUE, 0, -1)):
        if written[task_id := json.decode(message)["headers"]["id"]]:
            written[task_id] -= 1
        else:
            write(arrival(time.time(), json.decode(message)["headers"]))


def from_rabbitmq(url: str, write: Write, ended: Ended) -> None:
    written, copies = set[str](), deque[Any]()

    def add(message: Any) -> None:
        at, task_id = time.time(), message.headers["id"]
        # Delivered again since the acknowledgement was lost, or the first delivery was.
        if not (message.delivery_info["redelivered"] and task_id in written):
            written.add(task_id)
            write(arrival(at, message.headers))
            copies.append(message)
        message.ack()

    def copy_all(producer: Producer) -> None:
        """Not in `add`: to publish reads what has arrived, and calls `add`."""
        while copies:
            one = copies.popleft()
            producer.publish(
                one.body,
                routing_key=WORKED,
                content_type=one.content_type,
                content_encoding=one.content_encoding,
                headers=one.headers,
            )

    while True:
        with (
            suppress(OSError, AMQPError),
            Connection(url, connect_timeout=CONNECT_S) as connection,
            connection.channel() as channel,
            Consumer(channel, [queue()], on_message=add),
        ):
            Queue(WORKED)(channel).declare()
            producer = Producer(channel)
            while True:
                try:
                    connection.drain_events(timeout=WAIT_S)
                    copy_all(producer)
                except TimeoutError:
                    if ended():
                        return
        time.sleep(AGAIN_S)


def main() -> None:
    ending = False

    def end(*_: object) -> None:
        nonlocal ending
        ending = True

    def write(one: Arrival) -> None:
        sys.stdout.buffer.write(json.encode(one) + b"\n")
        sys.stdout.buffer.flush()

    signal.signal(signal.SIGTERM, end)
    consume = from_redis if sys.argv[1].startswith("redis") else from_rabbitmq
    consume(sys.argv[1], write, lambda: ending)


if __name__ == "__main__":
    main()
