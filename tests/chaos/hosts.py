"""Hosts of their own on one machine: network namespaces on a bridge, with cables to cut.

A cut swallows packets in both directions, as a pulled cable does: nobody is told.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

DAEMONS = ("one", "two", "three")
NUMBERS = {"one": 1, "two": 2, "three": 3, "store": 11, "broker": 12}
NET = "10.213.77"


def address(host: str) -> str:
    return f"{NET}.{NUMBERS[host]}"


@contextmanager
def hosts() -> Iterator[None]:
    """A bridge with one namespace per host, and this process's own address on it."""
    with ExitStack() as closing:
        _ip("link", "add", "beatd-br", "type", "bridge")
        closing.callback(_ip, "link", "del", "beatd-br")
        _ip("addr", "add", f"{NET}.254/24", "dev", "beatd-br")
        _ip("link", "set", "beatd-br", "up")
        for host, number in NUMBERS.items():
            _ip("netns", "add", f"beatd-{host}")
            closing.callback(_ip, "netns", "del", f"beatd-{host}")
            port = f"beatd-{number}"
            _ip("link", "add", port, "type", "veth", "peer", "eth0", "netns", f"beatd-{host}")
            # By itself it would go with the namespace, some time after that.
            closing.callback(_ip, "link", "del", port)
            _ip("link", "set", port, "master", "beatd-br", "up")
            _ip("addr", "add", f"{NET}.{number}/24", "dev", "eth0", host=host)
            _ip("link", "set", "eth0", "up", host=host)
            _ip("link", "set", "lo", "up", host=host)
            # What comes from where no way leads back to is dropped as well; see `cut`.
            strict = ("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")
            subprocess.run([*inside(host), *strict], check=True)
        yield


def cut(server: str, host: str) -> None:
    _ip("route", "add", "blackhole", f"{address(host)}/32", host=server)


def mend(server: str, host: str) -> None:
    _ip("route", "del", "blackhole", f"{address(host)}/32", host=server)


@contextmanager
def running(
    host: str,
    log: Path,
    *command: str | Path,
    end: signal.Signals = signal.SIGINT,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program on a host, in a group of its own, which is told to end with all that it started."""
    with log.open("ab") as words:
        process = subprocess.Popen(
            [*inside(host), *command], stdout=words, stderr=words, start_new_session=True, env=env
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, end)
        process.wait(20)


def inside(host: str) -> list[str]:
    return ["ip", "netns", "exec", f"beatd-{host}"]


def _ip(*words: str, host: str | None = None) -> None:
    subprocess.run([*(inside(host) if host else []), "ip", *words], check=True)
