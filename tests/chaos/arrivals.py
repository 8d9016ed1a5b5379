"""Every message as it arrives at the broker, and what is missing or double among them."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import Empty
from typing import Any

from kombu import Connection, Exchange, Queue
from msgspec import Struct

QUEUE = "seen"


class Arrival(Struct, frozen=True):
    at: float  # on the clock that also made the planned moments
    host: str
    planned: datetime
    task_id: str
    entry: str = ""
    pid: int = 0  # of the daemon that sent it


class Arrivals:
    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self.all: list[Arrival] = []

    def watch(self, seconds: float) -> list[Arrival]:
        """What arrives in so many seconds."""
        before, deadline = len(self.all), time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.next(left)
        return self.all[before:]

    def next(self, timeout: float) -> Arrival | None:
        try:
            message = self._queue.get(timeout=timeout)
        except Empty:
            return None
        self.all.append(arrival(time.time(), message.headers))
        return self.all[-1]


def arrival(at: float, headers: Mapping[str, Any]) -> Arrival:
    """Return what the headers tell. A peer of beatd names no planned moment: it is `at` then."""
    pid, _, host = headers["origin"].removeprefix("gen").partition("@")
    planned = headers.get("beatd_planned_at")
    return Arrival(
        at,
        host,
        datetime.fromisoformat(planned) if planned else datetime.fromtimestamp(at, UTC),
        headers["id"],
        headers["periodic_task_name"] if planned else headers["argsrepr"],
        int(pid),
    )


@contextmanager
def arriving(broker: str) -> Iterator[Arrivals]:
    with (
        Connection(broker) as connection,
        connection.SimpleQueue(queue(), no_ack=True) as reading,
    ):
        yield Arrivals(reading)


def queue() -> Queue:
    return Queue(QUEUE, Exchange(QUEUE), routing_key=QUEUE)


def lost(arrivals: Iterable[Arrival], every: float) -> list[float]:
    """The moments without a message, of an entry that is due so often."""
    steps = sorted({round(one.planned.timestamp() / every) for one in arrivals})
    gaps = (range(before + 1, after) for before, after in itertools.pairwise(steps))
    return [step * every for step in itertools.chain.from_iterable(gaps)]


def doubled(arrivals: Iterable[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """What came once more: under its own id, and under another one."""
    ids: defaultdict[tuple[str, datetime], set[str]] = defaultdict(set)
    same, other = [], []
    for one in arrivals:
        known = ids[one.entry, one.planned]
        if one.task_id in known:
            same.append(one)
        elif known:
            other.append(one)
        known.add(one.task_id)
    return same, other


def silence(arrivals: Sequence[Arrival], since: float) -> float:
    """The longest time in which nothing arrived."""
    times = [since, *(one.at for one in arrivals)]
    return max((b - a for a, b in itertools.pairwise(times)), default=float("inf"))
