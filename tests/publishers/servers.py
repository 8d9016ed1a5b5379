"""Private brokers, to be frozen, killed and told to refuse."""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import redis

from tests import needs
from tests.run import rabbitmq
from tests.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def states_in(group: int) -> set[str]:
    """Return the states of all threads of a process group, "T" for one that was stopped."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if os.getpgid(int(process.name)) == group:
                threads = [stat.read_text() for stat in process.glob("task/*/stat")]
                found |= {text.rpartition(")")[2].split()[0] for text in threads}
    return found


class Broker:
    """A process that can be stopped in every way; ends with its whole group."""

    port: int
    process: subprocess.Popen[bytes]

    def freeze(self) -> None:
        """Return when all threads stand still: on a busy machine, some answer for a while."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        until(lambda: states_in(self.process.pid) <= {"T", "Z"}, 10, "the broker does not stop")

    def thaw(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class PrivateRedis(Broker):
    def __init__(self, folder: Path, *options: str) -> None:
        needs.program("redis-server")
        self.port = free_port()
        self._folder = folder
        self._options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *options)
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(self._folder), *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: listens(self.port), 10, "redis-server does not start")

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)


class PrivateSentinel(Broker):
    """Watches one master, by the name of mine."""

    def __init__(self, folder: Path, master: int) -> None:
        needs.program("redis-server")
        self.port = free_port()
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor mine 127.0.0.1 {master} 1\n"
            "sentinel down-after-milliseconds mine 500\n"
            "sentinel failover-timeout mine 1000\n"
        )
        self.process = subprocess.Popen(
            ["redis-server", str(config), "--sentinel"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: listens(self.port), 10, "the sentinel does not start")


class Certificates:
    """An authority, and a key for 127.0.0.1 that it signed."""

    def __init__(self, folder: Path) -> None:
        openssl = needs.program("openssl")
        self.authority, self.cert, self.key = (
            folder / name for name in ("authority.pem", "cert.pem", "key.pem")
        )
        for words in (
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority"
            " -keyout authority-key.pem -out authority.pem",
            "req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext"
            " subjectAltName=IP:127.0.0.1 -keyout key.pem -out request.pem",
            "x509 -req -days 2 -in request.pem -CA authority.pem -CAkey authority-key.pem"
            " -CAcreateserial -copy_extensions copy -out cert.pem",
        ):
            subprocess.run([openssl, *words.split()], cwd=folder, check=True, capture_output=True)
        self.key.chmod(0o644)


class PrivateRabbitMQ(Broker):
    def __init__(self, folder: Path) -> None:
        self._program = needs.program("rabbitmq-server")
        self.port, self.tls_port, epmd_port = free_port(), free_port(), free_port()
        self.certificates = Certificates(folder)
        self._env = rabbitmq.environment(
            folder,
            port=self.port,
            dist_port=free_port(),
            epmd_port=epmd_port,
            config=f"listeners.ssl.default = 127.0.0.1:{self.tls_port}\n"
            f"ssl_options.cacertfile = {self.certificates.authority}\n"
            f"ssl_options.certfile = {self.certificates.cert}\n"
            f"ssl_options.keyfile = {self.certificates.key}\n",
        )
        epmd = rabbitmq.epmd(needs.program("epmd"), epmd_port)
        self._epmd = subprocess.Popen(epmd, stdin=subprocess.DEVNULL)
        until(lambda: listens(epmd_port), 10, "epmd does not start")
        self.start()

    def close(self) -> None:
        self.kill()
        self._epmd.kill()
        self._epmd.wait()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self._program],
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: listens(self.port), 60, "rabbitmq-server does not start")
        self.ctl("await_startup")

    def ctl(self, *words: str) -> None:
        ctl = self._program.with_name("rabbitmqctl")
        subprocess.run([ctl, "-q", *words], env=self._env, check=True)
