"""Private Redis servers, which a test may kill, freeze and empty."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import redis

from tests import needs, waiting

CLUSTER_BUS = 10_000  # a node of a cluster also listens so much above its port


def free_port() -> int:
    """One that leaves room for a cluster's bus, which half of those the kernel gives do not."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port + CLUSTER_BUS <= 65_535:
            return port


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Returns as soon as it is so; a connection that fails means: not yet."""
    not_yet = (redis.RedisError, OSError)
    waiting.until(true, seconds, f"not within {seconds} s", not_yet=not_yet)


class RedisProcess:
    """`redis-server` on a port of its own; started again it finds its files."""

    def __init__(self, folder: Path, *options: str, port: int = 0, auth: str = "") -> None:
        needs.program("redis-server")
        self.port, self.folder, self._options = port or free_port(), folder, options
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"redis://{auth}127.0.0.1:{self.port}/0"
        self.admin = redis.Redis.from_url(self.url)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        plain = [] if "--port" in self._options else ["--port", str(self.port)]
        self._process = subprocess.Popen(
            ["redis-server", *plain, "--dir", self.folder, "--bind", "127.0.0.1",
             "--save", "", *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if not plain:
            return  # speaks TLS: who asked for that waits for it
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except redis.AuthenticationError:
            return True

    def send(self, signal_number: int) -> None:
        assert self._process is not None
        self._process.send_signal(signal_number)

    def kill(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.admin.close()
        self.kill()


Start = Callable[..., RedisProcess]


def starting(folder: Path) -> Iterator[Start]:
    started: list[RedisProcess] = []

    def start(*options: str, port: int = 0, auth: str = "") -> RedisProcess:
        place = folder / f"redis{len(started)}"
        started.append(RedisProcess(place, *options, port=port, auth=auth))
        return started[-1]

    yield start
    for process in started:
        process.close()


def cluster(start: Start, nodes: int = 3) -> Sequence[RedisProcess]:
    made = [start("--cluster-enabled", "yes") for _ in range(nodes)]
    addresses = [f"127.0.0.1:{node.port}" for node in made]
    subprocess.run(
        ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for node in made:
        until(lambda node=node: b"cluster_state:ok" in node.admin.execute_command("CLUSTER INFO")
              if isinstance(node.admin.execute_command("CLUSTER INFO"), bytes)
              else node.admin.execute_command("CLUSTER INFO")["cluster_state"] == "ok")  # fmt: skip
    return made


def sentinel(
    start: Start, master: RedisProcess, folder: Path, *, down_after_ms: int = 500
) -> RedisProcess:
    port = free_port()
    config = folder / f"sentinel-{port}.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\nsentinel monitor ours 127.0.0.1 {master.port} 1\n"
        f"sentinel down-after-milliseconds ours {down_after_ms}\n"
        "sentinel failover-timeout ours 3000\n"
    )
    return RedisSentinel(config, port)


class RedisSentinel(RedisProcess):
    def __init__(self, config: Path, port: int) -> None:
        self._config = config
        super().__init__(config.parent, port=port)

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", self._config, "--sentinel"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.admin.ping)
