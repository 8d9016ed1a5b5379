"""Private servers on hosts of their own; each gives its URL as soon as it answers."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from kombu import Connection

from tests.chaos.hosts import address, running
from tests.publishers.servers import RABBITMQ
from tests.waiting import until

POSTGRESQL = Path("/usr/lib/postgresql")
START = 60.0  # seconds that a server may take


def lacking() -> str:
    """Which server is not installed, or nothing."""
    here = {
        "postgresql": POSTGRESQL.exists(),
        "redis-server": shutil.which("redis-server"),
        "rabbitmq-server": RABBITMQ.exists(),
    }
    return ", ".join(f"{name} is not installed" for name, found in here.items() if not found)


@contextmanager
def postgresql_on(host: str, logs: Path) -> Iterator[str]:
    binaries = max(POSTGRESQL.glob("*/bin"))
    as_owner = ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups")
    # Not among the logs: its owner may not enter every folder that root may.
    with tempfile.TemporaryDirectory(prefix="beatd-postgresql-") as folder:
        shutil.chown(folder, "postgres")
        data = Path(folder, "data")
        initdb = (*as_owner, binaries / "initdb", "-U", "postgres", "--auth", "trust", "-D", data)
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL)
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        server = (binaries / "postgres", "-D", data, "-h", "0.0.0.0", "-k", folder)
        with running(host, logs / "postgresql.log", *as_owner, *server):
            ready = (binaries / "pg_isready", "-qh", address(host))
            until(lambda: not subprocess.run(ready).returncode, START, "no PostgreSQL")
            yield f"postgresql://postgres@{address(host)}/postgres"


@contextmanager
def redis_on(host: str, logs: Path) -> Iterator[str]:
    options = ("--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", logs)
    with running(host, logs / f"redis-{host}.log", "redis-server", *options):
        url = f"redis://{address(host)}:6379/0"
        with redis.Redis.from_url(url) as client:
            until(lambda: _answers(client), START, "no Redis")
        yield url


@contextmanager
def rabbitmq_on(host: str, logs: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="beatd-rabbitmq-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "rabbitmq.conf").write_text("loopback_users = none\n")
        (folder / "plugins").write_text("[].")
        env = {
            **os.environ,
            "HOME": name,
            "RABBITMQ_NODENAME": "beatd@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(logs / "rabbitmq"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        }
        url = f"amqp://guest:guest@{address(host)}:5672//"
        kill = signal.SIGKILL  # its goodbye takes seconds, and nothing of it is kept
        # Erlang would start the daemon that knows the ports of nodes, and leave it behind.
        with (
            running(host, logs / "epmd.log", "epmd", end=kill),
            running(host, logs / "rabbitmq.log", RABBITMQ, end=kill, env=env),
        ):
            until(lambda: _takes_clients(url), START, "no RabbitMQ")
            yield url


def _answers(client: redis.Redis) -> bool:
    with suppress(redis.RedisError):
        return bool(client.ping())
    return False


def _takes_clients(url: str) -> bool:
    with suppress(OSError), Connection(url, connect_timeout=1) as connection:
        connection.connect()
        return True
    return False
