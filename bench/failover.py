"""How long nobody publishes: daemons are killed, stopped and frozen, and the messages are watched.

    python tests/run/servers.py python bench/failover.py [--kills 30] [--how freeze] [STORE…]

--how is kill, stop or freeze, also several times. STORE: sqlite, postgresql, mariadb or redis.
The broker is a Redis list, watched message by message.
On SQLite, a frozen daemon keeps the lock until a watchdog ends it; so that is not measured.
It ends with 1 if a run was lost, or sent under two ids.
"""

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import redis

PORT = {
    name: int(os.environ.get(f"BEATD_TEST_{name.upper()}_PORT", 0))
    for name in ("redis", "postgresql", "mariadb")
}
EVERY = 0.05
SIGNAL = {"kill": signal.SIGKILL, "stop": signal.SIGTERM, "freeze": signal.SIGSTOP}


class Watched:
    """Two daemons on one store, and every message they send."""

    def __init__(self, store: str, folder: Path, db: int = 13) -> None:
        self.broker = redis.Redis(port=PORT["redis"], db=db)
        self.broker.flushdb()
        self._config = folder / "config.yaml"
        self._logs = folder
        # `all`, so that a moment missing among the arrivals is a moment lost.
        self._config.write_text(
            f"store: {{url: '{store}', prefix: 'failover:'}}\n"
            f"broker: {{url: 'redis://127.0.0.1:{PORT['redis']}/{db}'}}\n"
            f"entries:\n  tick: {{task: t, every: {EVERY}, catch_up: all, catch_up_max: 100000,"
            " options: {queue: failover}}\n"
        )
        self._count = itertools.count()
        self.daemons: dict[int, subprocess.Popen[bytes]] = {}
        self.seen: list[tuple[float, int, str, str]] = []  # arrival, pid, planned, id

    def start(self) -> int:
        log = (self._logs / f"daemon-{next(self._count)}.log").open("wb")
        beatd = Path(sys.executable).parent / "beatd"
        process = subprocess.Popen([beatd, "-c", self._config], stdout=log, stderr=log)
        self.daemons[process.pid] = process
        return process.pid

    def watch(self, until: Any, timeout: float = 30.0) -> tuple[float, int, str, str]:
        """The first message that `until` says yes to."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            popped = self.broker.brpop(["failover"], timeout=1)
            if popped is None:
                continue
            at, headers = time.monotonic(), json.loads(popped[1])["headers"]
            pid = int(headers["origin"].removeprefix("gen").split("@")[0])
            message = (at, pid, headers["beatd_planned_at"], headers["id"])
            self.seen.append(message)
            if until(message):
                return message
        raise TimeoutError(f"nobody published for {timeout} s; logs are in {self._logs}")

    def end(self, how: str) -> float:
        """End whoever leads; seconds from then to the first message of another one."""
        _, leader, *_ = self.watch(lambda message: True)
        settled = time.monotonic() + 1.5  # until the other one stands by
        self.watch(lambda message: message[0] > settled)
        process = self.daemons[leader]
        os.kill(leader, SIGNAL[how])
        killed = time.monotonic()
        if how == "kill":
            process.wait()
        other = self.watch(lambda message: message[1] != leader)
        last = max(at for at, pid, *_ in self.seen if pid == leader)
        if how == "freeze":
            os.kill(leader, signal.SIGCONT)
            os.kill(leader, signal.SIGTERM)
        if how != "kill":
            process.wait()
        del self.daemons[leader]
        return other[0] - (last if how == "stop" else killed)

    def finish(self) -> dict[str, int]:
        """Stop all, and count what was lost and doubled."""
        start = self.seen[0][2]
        for process in self.daemons.values():
            process.terminate()
        for process in self.daemons.values():
            process.wait()
        while (popped := self.broker.rpop("failover")) is not None:
            headers = json.loads(popped)["headers"]
            self.seen.append((time.monotonic(), 0, headers["beatd_planned_at"], headers["id"]))
        ids: dict[str, set[str]] = {}
        for _, _, planned, task in self.seen:
            ids.setdefault(planned, set()).add(task)
        moments = sorted(planned for planned in ids if planned >= start)
        stamps = [round(_seconds(planned) / EVERY) for planned in moments]
        lost = sum(b - a - 1 for a, b in itertools.pairwise(stamps))
        doubles = Counter(planned for _, _, planned, _ in self.seen)
        return {
            "messages": len(self.seen),
            "lost": lost,
            "doubled under the same id": sum(n - 1 for n in doubles.values()),
            "doubled under another id": sum(len(found) - 1 for found in ids.values()),
        }


def _seconds(iso: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(iso).timestamp()


def store_url(kind: str, folder: Path) -> str:
    """A fresh place for one series."""
    name = f"beatd_failover_{os.getpid()}"
    if kind == "sqlite":
        return f"sqlite:///{folder}/beatd.db"
    if kind == "redis":
        return f"redis://127.0.0.1:{PORT['redis']}/13"
    if kind == "postgresql":
        run = ["psql", "-qh", "127.0.0.1", "-p", str(PORT[kind]), "-U", "postgres", "-c"]
        subprocess.run([*run, f"create database {name}"], check=True)
        return f"postgresql://postgres@127.0.0.1:{PORT[kind]}/{name}"
    run = ["mariadb", "-h", "127.0.0.1", "-P", str(PORT[kind]), "-u", "root", "-e"]
    subprocess.run([*run, f"create database {name}"], check=True)
    return f"mysql://root@127.0.0.1:{PORT[kind]}/{name}"


def drop(kind: str) -> None:
    name = f"beatd_failover_{os.getpid()}"
    if kind == "postgresql":
        run = ["psql", "-qh", "127.0.0.1", "-p", str(PORT[kind]), "-U", "postgres", "-c"]
        subprocess.run([*run, f"drop database if exists {name} with (force)"], check=False)
    if kind == "mariadb":
        run = ["mariadb", "-h", "127.0.0.1", "-P", str(PORT[kind]), "-u", "root", "-e"]
        subprocess.run([*run, f"drop database if exists {name}"], check=False)


def series(kind: str, how: str, kills: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="beatd-failover-") as name:
        folder = Path(name)
        watched = Watched(store_url(kind, folder), folder)
        try:
            watched.start()
            watched.watch(lambda message: True)
            gaps = []
            for _ in range(kills):
                watched.start()
                gaps.append(watched.end(how))
            counted = watched.finish()
        finally:
            for process in watched.daemons.values():
                process.kill()
                process.wait()
            drop(kind)
    return {
        "store": kind,
        "how": how,
        "n": kills,
        "median": round(statistics.median(gaps), 3),
        "max": round(max(gaps), 3),
        **counted,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stores", nargs="*", default=["sqlite", "postgresql", "mariadb", "redis"])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--how", choices=SIGNAL, action="append")
    given = parser.parse_args()
    if not all(PORT.values()):
        parser.error("it empties databases: run it beside servers of its own, as shown in --help")
    wrong = 0
    for how in given.how or ["kill", "stop"]:
        for kind in given.stores:
            if (how, kind) == ("freeze", "sqlite"):
                continue
            found = series(kind, how, given.kills)
            print(json.dumps(found), flush=True)
            wrong += found["lost"] + found["doubled under another id"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
