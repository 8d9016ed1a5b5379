"""Programs that ask the API of a daemon while it beats: `api_clients.py PORT RATE`.

They send RATE requests a second in all, over CONNECTIONS connections that stay open, each request
at its moment or, if all connections are busy, as soon as one is free. At the end (SIGTERM) they
print, as JSON, how many answers a second came, of which status, and how long after its moment.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from statistics import median

CONNECTIONS = 24  # a daemon keeps 32
BEGIN_S = 1.0  # the daemon opens its port before it is ready
ENTRY = "entries/entry-{n}"
PATHS = (  # what programs ask for: one entry mostly, at times its runs, a list, or the status
    *(ENTRY, f"{ENTRY}/next?n=3", ENTRY, f"{ENTRY}/history?limit=10", ENTRY) * 4,
    *("entries?limit=10&q=entry-{n}", "whoami", "status"),
)
ENTRIES = 200


class Clients:
    """The connections of all clients, and what they have seen."""

    def __init__(self, port: int, rate: float) -> None:
        self.port, self.rate = port, rate
        self.ended = asyncio.Event()
        self.seen, self.took = Counter[str](), list[float]()
        self.numbers = count()
        self.begun = 0.0

    async def all_at_once(self) -> None:
        await asyncio.sleep(BEGIN_S)
        self.begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._client())

    async def _requests(self) -> AsyncIterator[tuple[float, bytes]]:
        while not self.ended.is_set():
            number = next(self.numbers)
            due = self.begun + number / self.rate
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), max(0.0, due - time.perf_counter()))
            if not self.ended.is_set():
                path = PATHS[number % len(PATHS)].format(n=number % ENTRIES)
                head = f"GET /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n"
                yield due, head.encode()

    async def _client(self) -> None:
        reader = writer = None
        async for due, request in self._requests():
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                self.seen[head.split(b" ", 2)[1].decode()] += 1
                self.took.append((time.perf_counter() - due) * 1e3)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.seen[type(error).__name__] += 1
                reader = writer = None
                await asyncio.sleep(0.05)

    def figures(self) -> dict[str, object]:
        seconds = time.perf_counter() - self.begun
        return {
            "answers": dict(self.seen),
            "answers_per_second": len(self.took) / seconds,
            "answer_ms": median(self.took) if self.took else None,
        }


async def main(port: int, rate: float) -> None:
    clients = Clients(port, rate)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, clients.ended.set)
    await clients.all_at_once()
    print(json.dumps(clients.figures()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
