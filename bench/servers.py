"""Where a run's entries and messages live: places of its own, gone when it ends.

A private Redis where its binary is installed, so that nobody else's traffic is measured;
PostgreSQL and RabbitMQ are those that answer on the default ports.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

QUEUE = f"beatd-bench-{os.getpid()}"
DATABASE = f"beatd_bench_{os.getpid()}"
POSTGRESQL = int(os.environ.get("BEATD_BENCH_POSTGRESQL_PORT", "5432"))
AMQP = os.environ.get("BEATD_BENCH_AMQP", "amqp://guest:guest@127.0.0.1:5672//")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    given = os.environ.get("BEATD_BENCH_REDIS_PORT")
    if given or not shutil.which("redis-server"):
        yield f"redis://127.0.0.1:{given or 6379}/11"
        return
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen([*command, "--dir", str(folder)], stdout=log)
    try:
        until_it_listens(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def database() -> Iterator[str]:
    psql = ["psql", "-qh", "127.0.0.1", "-p", str(POSTGRESQL), "-U", "postgres", "-c"]
    drop = [*psql, f"drop database if exists {DATABASE} with (force)"]
    quiet = {"stderr": subprocess.DEVNULL}
    subprocess.run(drop, check=True, **quiet)  # type: ignore[call-overload]
    subprocess.run([*psql, f"create database {DATABASE}"], check=True)
    try:
        yield f"postgresql://postgres@127.0.0.1:{POSTGRESQL}/{DATABASE}"
    finally:
        subprocess.run(drop, check=False, **quiet)  # type: ignore[call-overload]


@contextmanager
def places(store: str, broker: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The URLs of a store and of a broker, by their kinds."""
    with ExitStack() as stack:
        redis = ""
        if "redis" in (store, broker):
            redis = stack.enter_context(redis_server(folder))
        match store:
            case "redis":
                ledger = redis
            case "postgresql":
                ledger = stack.enter_context(database())
            case "sqlite":
                ledger = f"sqlite:///{folder}/beatd.db"
            case _:
                ledger = str(folder / "schedule")  # celery beat's own file
        yield ledger, redis if broker == "redis" else AMQP
