"""Messages a second through our publisher, beside celery's send_task: bench/publish.py [URL…]."""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu import Connection

from beatd.entry import Entry
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.publishers.renderer import Renderer
from beatd.run import Occurrence, Run
from beatd.schedules import interval

QUEUE = "beatd-bench-publish"
URLS = ("redis://127.0.0.1:6379/15", "amqp://guest:guest@127.0.0.1:5672//", "memory://")


def entries(size: int) -> list[Entry]:
    return [
        Entry(
            name=f"entry-{n}",
            task="proj.tasks.report",
            schedule=interval("60s"),
            args=(2, n),
            kwargs={"full": True},
            options={"queue": QUEUE},
        )
        for n in range(size)
    ]


def herd(given: list[Entry], nth: int) -> list[Run]:
    planned = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=nth)
    return [Run(Occurrence(e.name, planned), str(uuid4()), e, 1, planned) for e in given]


def purge(url: str) -> None:
    with Connection(url) as connection:
        connection.default_channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        connection.default_channel.queue_purge(QUEUE)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def always() -> bool:
    return True


def ours(url: str, size: int, batch: int, times: int) -> dict[str, list[float]]:
    publisher = CeleryPublisher(app=app_for({"url": url}), timeout=30)
    given = entries(size)
    assert publisher.reachable()
    found: dict[str, list[float]] = {"cold template, us": [], "render, us": [], "msg/s": []}
    renderer: Renderer = publisher._renderer
    for nth in range(times):
        renderer._entry_templates.clear()
        runs = herd(given, nth)
        found["cold template, us"].append(seconds(lambda r=runs: publisher.prepare(r)) / size * 1e6)
        found["render, us"].append(seconds(lambda r=runs: renderer.render(r)) / size * 1e6)
        outcomes: list[Any] = []

        def publish(runs: list[Run] = runs, outcomes: list[Any] = outcomes) -> None:
            for start in range(0, size, batch):
                outcomes.extend(publisher.publish(runs[start : start + batch], always))

        found["msg/s"].append(size / seconds(publish))
        assert {outcome.sent for outcome in outcomes} == {"confirmed"}, set(outcomes)
        purge(url)
        if hasattr(publisher._transport, "lists"):
            rate = size / seconds(lambda r=runs: publisher.pushes(r))
            found.setdefault("pushes/s for the ledger", []).append(rate)
    publisher.close()
    return found


def celerys(url: str, size: int, times: int) -> dict[str, list[float]]:
    app = Celery("bench", broker=url, set_as_current=False)
    found: dict[str, list[float]] = {"send_task, msg/s": []}
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        for _ in range(times):

            def send() -> None:
                for n in range(size):
                    app.send_task(
                        "proj.tasks.report",
                        [2, n],
                        {"full": True},
                        producer=producer,
                        queue=QUEUE,
                        headers={"celery_beat_task": True},
                    )

            found["send_task, msg/s"].append(size / seconds(send))
            purge(url)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="*", default=URLS)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    told = parser.parse_args()
    for url in told.urls:
        kind = url.partition(":")[0]
        # Slow brokers are measured with fewer, and celery with a tenth.
        size = told.size if kind in ("redis", "rediss", "amqp") else told.size // 10
        found = ours(url, size, told.batch, told.times)
        found |= celerys(url, size // 10, told.times)
        with Connection(url) as connection:
            connection.default_channel.queue_delete(QUEUE)
        for what, figures in found.items():
            low, middle, high = min(figures), statistics.median(figures), max(figures)
            print(f"{kind:12} {what:24} {middle:12,.1f}   ({low:,.1f} … {high:,.1f})")


if __name__ == "__main__":
    main()
