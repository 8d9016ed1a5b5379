"""Three daemons on three hosts, store and broker on two more; cables are cut one by one.

    sudo python tests/chaos/partitions.py [--seconds 10]

The hosts are network namespaces of this machine. A cut swallows packets, as a pulled cable does:
nobody is told. Every message is read as it arrives; the table says what each cut cost.
"""

import argparse
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

NET = "10.213.77"
# ruff: noqa: T201
HOSTS = {"one": 1, "two": 2, "three": 3, "store": 11, "broker": 12}
EVERY = 0.1


def run(*command: str, host: str | None = None, **more: Any) -> subprocess.CompletedProcess[bytes]:
    inside = ["ip", "netns", "exec", f"beatd-{host}"] if host else []
    return subprocess.run([*inside, *command], check=True, **more)


@contextmanager
def hosts() -> Iterator[None]:
    """A bridge with one namespace per host, and this process's own address on it."""
    with ExitStack() as closing:
        run("ip", "link", "add", "beatd-br", "type", "bridge")
        closing.callback(run, "ip", "link", "del", "beatd-br")
        run("ip", "addr", "add", f"{NET}.254/24", "dev", "beatd-br")
        run("ip", "link", "set", "beatd-br", "up")
        for name, number in HOSTS.items():
            run("ip", "netns", "add", f"beatd-{name}")
            closing.callback(run, "ip", "netns", "del", f"beatd-{name}")
            port = f"beatd-{number}"
            run("ip", "link", "add", port, "type", "veth", "peer", "eth0", "netns", f"beatd-{name}")
            run("ip", "link", "set", port, "master", "beatd-br", "up")
            run("ip", "addr", "add", f"{NET}.{number}/24", "dev", "eth0", host=name)
            run("ip", "link", "set", "eth0", "up", host=name)
            run("ip", "link", "set", "lo", "up", host=name)
        yield


def cut(server: str, host: str) -> None:
    """Nothing the server says reaches the host any more, and nobody is told."""
    route = ("ip", "route", "add", "blackhole", f"{NET}.{HOSTS[host]}/32")
    run(*route, host=server)


def mend(server: str, host: str) -> None:
    run("ip", "route", "del", "blackhole", f"{NET}.{HOSTS[host]}/32", host=server)


class Servers:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._postgresql()
        self._start(
            "broker", "redis-server", "--bind", "0.0.0.0", "--port", "6379", "--save", "",
            "--protected-mode", "no", "--dir", str(self._folder),
        )  # fmt: skip
        server = redis.Redis(f"{NET}.{HOSTS['broker']}")
        until(lambda: server.ping(), "redis")

    def _postgresql(self) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        data = self._folder / "pg"
        data.mkdir()
        shutil.chown(data, "postgres")
        self._folder.chmod(0o755)
        as_owner = ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups")
        run(
            *as_owner, str(binaries / "initdb"), "-D", str(data / "data"), "-U", "postgres",
            "--auth", "trust", stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with (data / "data/pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NET}.0/24 trust\n")
        self._start(
            "store", *as_owner, str(binaries / "postgres"), "-D", str(data / "data"),
            "-h", "0.0.0.0", "-k", str(data),
        )  # fmt: skip
        ready = [str(binaries / "pg_isready"), "-qh", f"{NET}.{HOSTS['store']}"]
        until(lambda: subprocess.run(ready).returncode == 0, "postgresql")

    def _start(self, host: str, *command: str) -> None:
        log = (self._folder / f"{host}.log").open("ab")
        inside = ["ip", "netns", "exec", f"beatd-{host}", *command]
        self._processes.append(subprocess.Popen(inside, stdout=log, stderr=log))

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        for process in self._processes:
            process.wait(20)


def until(answered: Any, what: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if answered():
                return
        except Exception:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"{what} did not answer")


class Daemons:
    def __init__(self, folder: Path) -> None:
        self._config = folder / "config.yaml"
        self._config.write_text(
            f"store: {{url: 'postgresql://postgres@{NET}.{HOSTS['store']}/postgres'}}\n"
            f"broker: {{url: 'redis://{NET}.{HOSTS['broker']}/0'}}\n"
            f"entries:\n  tick: {{task: t, every: {EVERY}, catch_up: all, catch_up_max: 100000,"
            " options: {queue: seen}}\n"
        )
        self._folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, host: str) -> None:
        log = (self._folder / f"daemon-{host}.log").open("ab")
        beatd = Path(sys.executable).parent / "beatd"
        # Its own host name, so that `origin` tells who sent a message.
        inside = ["ip", "netns", "exec", f"beatd-{host}", "unshare", "--uts", "sh", "-c"]
        script = f"hostname {host}; exec {beatd} -c {self._config}"
        self.processes[host] = subprocess.Popen([*inside, script], stdout=log, stderr=log)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(20)


class Seen:
    """Every message, as it arrives at the broker."""

    def __init__(self) -> None:
        self._server = redis.Redis(f"{NET}.{HOSTS['broker']}")
        self.messages: list[tuple[float, str, str, str]] = []  # arrival, host, planned, id

    def next(self, timeout: float) -> tuple[float, str, str, str] | None:
        popped = self._server.brpop(["seen"], timeout=timeout)
        if popped is None:
            return None
        headers = json.loads(popped[1])["headers"]
        host = headers["origin"].split("@")[-1]
        self.messages.append((time.monotonic(), host, headers["beatd_planned_at"], headers["id"]))
        return self.messages[-1]

    def for_seconds(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.next(max(0.01, min(left, 1)))

    def leader(self) -> str:
        while (message := self.next(1)) is None:
            pass
        return message[1]


def trial(seen: Seen, servers: tuple[str, ...], seconds: float) -> dict[str, Any]:
    """Cut the leader off, wait, mend, wait; what that cost."""
    seen.for_seconds(3)
    leader = seen.leader()
    for server in servers:
        cut(server, leader)
    began = time.monotonic()
    seen.for_seconds(seconds)
    for server in servers:
        mend(server, leader)
    seen.for_seconds(6)
    after = [message for message in seen.messages if message[0] > began]
    others = [at for at, host, *_ in after if host != leader]
    arrivals = [at for at, *_ in after]
    silent = max((b - a for a, b in itertools.pairwise([began, *arrivals])), default=0.0)
    return {
        "cut off from": " and ".join(servers),
        "leader": leader,
        "another published after": round(others[0] - began, 2) if others else None,
        "longest silence": round(silent, 2),
    }


def counted(seen: Seen) -> dict[str, int]:
    from datetime import datetime

    ids: dict[str, set[str]] = {}
    for _, _, planned, task in seen.messages:
        ids.setdefault(planned, set()).add(task)
    stamps = sorted(round(datetime.fromisoformat(planned).timestamp() / EVERY) for planned in ids)
    return {
        "messages": len(seen.messages),
        "lost": sum(b - a - 1 for a, b in itertools.pairwise(stamps)),
        "doubled under the same id": len(seen.messages) - len(ids),
        "doubled under another id": sum(len(found) - 1 for found in ids.values()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="beatd-partitions-"))
    with ExitStack() as closing:
        closing.enter_context(hosts())
        servers, daemons = Servers(folder), Daemons(folder)
        closing.callback(servers.stop)
        servers.start()
        closing.callback(daemons.stop)
        for host in ("one", "two", "three"):
            daemons.start(host)
        seen = Seen()
        seen.leader()
        for what in (("store",), ("broker",), ("store", "broker")):
            print(json.dumps(trial(seen, what, given.seconds)), flush=True)
        alive = [host for host, process in daemons.processes.items() if process.poll() is None]
        daemons.stop()
        seen.for_seconds(1)
    totals = counted(seen)
    print(json.dumps({**totals, "daemons still running": len(alive)}))
    if given.keep:
        print(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    os.sync()
    return int(bool(totals["lost"] or totals["doubled under another id"] or len(alive) != 3))


if __name__ == "__main__":
    sys.exit(main())
