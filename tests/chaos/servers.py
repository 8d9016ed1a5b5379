"""Private servers on hosts of their own; each gives its URL as soon as it answers."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from kombu import Connection

from tests import needs
from tests.chaos.hosts import address, running
from tests.run import rabbitmq
from tests.waiting import until

START = 60.0  # seconds that a server may take
EPMD = 14369  # on a host of its own; not the default, so that no test can take the machine's
PROGRAMS = ("postgres", "redis-server", "rabbitmq-server", "epmd", "ip", "sysctl")


@contextmanager
def postgresql_on(host: str, logs: Path) -> Iterator[str]:
    binaries = needs.program("postgres").parent
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
        # The ports of a host of its own are free.
        env = rabbitmq.environment(
            folder,
            ip="0.0.0.0",
            port=5672,
            dist_port=25672,
            epmd_port=EPMD,
            config="loopback_users = none\n",
        )
        url = f"amqp://guest:guest@{address(host)}:5672//"
        server, register = needs.program("rabbitmq-server"), needs.program("epmd")
        kill = signal.SIGKILL  # its goodbye takes seconds, and nothing of it is kept
        with (
            running(host, logs / "epmd.log", *rabbitmq.epmd(register, EPMD), end=kill),
            running(host, logs / "rabbitmq.log", server, end=kill, env=env),
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
