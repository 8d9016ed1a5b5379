"""What reports cost a worker: its throughput with and without them, and the time in its hooks.

    python bench/worker_reports.py [TASKS] [TIMES]

Starts a private Redis and, in turn, workers that report and workers that do not. The tasks do
nothing, so that everything else is measured. A worker that reports is also shown messages that
another program sent.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from uuid import uuid4

import redis
from celery import Celery, signals
from celery.concurrency.solo import TaskPool
from celery.worker.request import Request, create_request_cls

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from beatd.worker import installation  # noqa: E402
from bench.servers import redis_server  # noqa: E402

BROKER = "BEATD_BENCH_BROKER"
QUEUE = "worked"
LOADED = "loaded"
HEADERS = {"beatd_planned_at": "2026-11-28T00:00:00.000000+00:00", "periodic_task_name": "nightly"}
CASES = {
    "no reports": ((), HEADERS),
    "reports": (("--include", "beatd.worker.auto"), HEADERS),
    "reports, tasks of others": (("--include", "beatd.worker.auto"), {}),
}

app = Celery("bench", broker=os.environ.get(BROKER, "memory://"), set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=64,
    broker_connection_retry_on_startup=True,
)


@app.task(name="bench.nothing")
def nothing() -> None:
    pass


def load(client: redis.Redis, tasks: int, headers: dict[str, str]) -> None:
    """Put the messages of that many tasks into a list that no worker reads yet."""
    client.flushdb()
    nothing.apply_async(headers=headers)
    message = json.loads(client.lpop(QUEUE))
    for start in range(0, tasks, 1_000):
        lines = []
        for _ in range(start, min(tasks, start + 1_000)):
            id = str(uuid4())
            message["headers"] |= {"id": id, "root_id": id}
            message["properties"] |= {"correlation_id": id, "delivery_tag": id}
            lines.append(json.dumps(message))
        client.lpush(LOADED, *lines)


@contextmanager
def worker(pool: str, options: tuple[str, ...], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is ready."""
    command = [*(sys.executable, "-m", "celery", "-A", "bench.worker_reports", "worker")]
    command += ["-P", pool, "-c", "1", "-l", "warning", "--without-gossip", "--without-mingle"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--without-heartbeat", *options], cwd=ROOT, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process itself has used, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drained(client: redis.Redis) -> bool:
    return not client.llen(QUEUE) and not client.hlen("unacked")


def throughput(
    client: redis.Redis, pool: str, case: str, tasks: int, folder: Path
) -> tuple[float, float]:
    """Return tasks a second, and microseconds of CPU of the parent process per task."""
    options, headers = CASES[case]
    load(client, tasks, headers)
    with worker(pool, options, folder / "worker.log") as process:
        nothing.apply_async(headers=headers)
        time.sleep(1)
        while not drained(client):
            time.sleep(0.01)
        time.sleep(1)  # the worker is ready, and idle
        before, used = time.perf_counter(), cpu_seconds(process.pid)
        client.rename(LOADED, QUEUE)
        while not drained(client):
            time.sleep(0.01)
        took = time.perf_counter() - before
        time.sleep(0.5)  # its last reports are on their way
        return tasks / took, (cpu_seconds(process.pid) - used) / tasks * 1e6


def hooks(headers: dict[str, str], tasks: int) -> float:
    """Return the microseconds that celery's own code takes for one request, from its arrival to its
    success, in a process where this case's reports are installed or not."""
    consumer = object()
    made = create_request_cls(Request, nothing, TaskPool(), "bench@host", None, app=app)
    requests = []
    for _ in range(tasks):
        message = SimpleNamespace(
            headers={"id": str(uuid4()), "task": nothing.name, **headers},
            body=b"[[], {}, {}]", payload=[[], {}, {}], delivery_info={}, properties={},
            content_type="application/json", content_encoding="utf-8",
        )  # fmt: skip
        requests.append(made(message, app=app, task=nothing, hostname="bench@host"))
    pid, value = os.getpid(), (False, None, 0.1)
    before = time.thread_time()  # of this thread alone: sending is apart
    for request in requests:
        signals.task_received.send(sender=consumer, request=request)
        request.on_accepted(pid, time.monotonic())
        request.on_success(value)
    return (time.thread_time() - before) / tasks * 1e6


def main(tasks: int, times: int) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, {tasks} tasks, median of {times}")
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name)) as url:
        os.environ[BROKER] = app.conf.broker_url = url
        client = redis.Redis.from_url(url)
        for pool in ("solo", "prefork"):
            found: dict[str, list[tuple[float, float]]] = {case: [] for case in CASES}
            for _ in range(times):
                for case in CASES:
                    found[case].append(throughput(client, pool, case, tasks, Path(name)))
            for case, figures in found.items():
                rate, cpu = (median(column) for column in zip(*figures, strict=True))
                print(f"{pool:8} {case:26} {rate:7.0f} tasks/s {cpu:6.0f} us of the parent a task")
        hooks(HEADERS, 1_000)
        without = hooks(HEADERS, tasks)
        installation.report_every_app()
        hooks(HEADERS, 1_000)
        for case, headers in (("a run of beatd", HEADERS), ("a task of others", {})):
            print(f"hooks    {case:26} {hooks(headers, tasks) - without:7.1f} us")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(20_000, 3)[len(given) :])
