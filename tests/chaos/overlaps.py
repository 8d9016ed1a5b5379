"""Entries that must not overlap, while daemons, workers and their children are killed.

    .venv/bin/python -m tests.chaos.overlaps [PAIR…] [--seconds 600] [--seed 1]
    .venv/bin/python -m tests.chaos.overlaps --peer     (celery beat with celery-singleton)

An entry is due each second, and its task takes three. Judged by the tasks' own notes of their start
and end: no two runs of an entry at once, except where the broker delivered one twice (counted); an
entry whose worker was killed runs again within 45 s; at the end nothing is stuck. Ends with 1 if a
rule is broken.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from msgspec import json

from tests.chaos.pair import PAIRS, Pair
from tests.chaos.process_tree import tree
from tests.chaos.run_log import Found, judge, runs_of
from tests.chaos.stage import REDIS_KEEPS, URLS
from tests.process import BEATD
from tests.run.servers import DoesNotStart, Servers

# ruff: noqa: T201
RULES = ("skip", "queue", "replace")
ENTRIES = [f"{rule}-{n}" for rule in RULES for n in range(3)]
TASK_S, FREE_WITHIN_S, QUIET_S = 3.0, 45.0, 60.0
PAUSES_S = (2.0, 8.0)  # between two kills
WORKERS, CHILDREN = 2, 8
HERE = Path(__file__).parents[2]


class Programs:
    """Programs in sessions of their own, which are started again after they were killed."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, {**os.environ, **environment}
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.killed: dict[int, float] = {}

    def start(self, name: str, *command: str | Path) -> None:
        self._commands[name] = [str(word) for word in command]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._commands[name], cwd=self._folder, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def children(self, name: str) -> list[int]:
        return tree(self._running[name].pid)[1:]

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def kill_one(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed[pid] = time.time()

    def kill(self, name: str) -> None:
        """Kill the program with all its children, and start it again."""
        for pid in tree(self._running[name].pid):
            self.kill_one(pid)
        self._running[name].wait()
        self.start(name, *self._commands[name])

    def close(self) -> None:
        for process in self._running.values():
            for pid in tree(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


class Gone(threading.Thread):
    """Watches the processes that the log of runs names, and notes when each was last seen alive.

    A process ends within the 20 ms that follow: a run that starts after `at` was not seen beside
    it.
    """

    def __init__(self, log: Path) -> None:
        super().__init__(daemon=True)
        self._log, self._ending = log, threading.Event()
        self.at: dict[int, float] = {}

    def run(self) -> None:
        alive_at = dict[int, float]()
        with self._log.open() as lines:
            while not self._ending.wait(0.02):
                for line in lines:
                    what, _, _, pid, at = line.split()
                    if what == "start":
                        alive_at[int(pid)] = float(at)
                    else:
                        alive_at.pop(int(pid), None)
                for one in list(alive_at):
                    now = time.time()
                    if is_alive(one):
                        alive_at[one] = now
                    else:
                        self.at[one] = alive_at.pop(one)

    def end(self) -> None:
        self._ending.set()
        self.join()


def is_alive(pid: int) -> bool:
    """True if the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def servers_of(pair: Pair) -> Iterator[Servers]:
    with ExitStack() as closing:
        data = tempfile.TemporaryDirectory(prefix="beatd-overlaps-", ignore_cleanup_errors=True)
        files = Path(closing.enter_context(data))
        files.chmod(0o755)
        servers = Servers(files, redis=REDIS_KEEPS)
        closing.callback(servers.stop)
        for name in pair.servers:
            if reason := servers.start(name):
                raise DoesNotStart(f"{name}: {reason}")
        yield servers


def run(pair: Pair, seconds: float, seed: int, folder: Path, *, peer: bool = False) -> Found:
    """Kill at random for so long, then leave everything alone for a while, and judge."""
    with servers_of(pair) as servers:
        url = {name: URLS[name].format(port=servers.ports[name]) for name in pair.servers}
        log = folder / "runs.log"
        log.touch()
        environment = {
            "OVERLAPS_BROKER": url[pair.broker],
            "OVERLAPS_LOG": str(log),
            "PYTHONPATH": str(HERE),
            **({"OVERLAPS_LOCKS": url[pair.broker]} if peer else {}),
        }
        programs, gone = Programs(folder, environment), Gone(log)
        gone.start()
        try:
            entries = _start(programs, pair, url, folder, peer=peer)
            kills = _kill_at_random(programs, seconds, random.Random(seed), peer=peer)
            time.sleep(QUIET_S)
            now = time.time()
            again = set() if peer else _delivered_again(folder)
        finally:
            gone.end()
            programs.close()
        found = judge(
            runs_of(log.read_text().splitlines(), programs.killed, gone.at),
            entries,
            now=now,
            silent_s=FREE_WITHIN_S,
            delivered_again=again,
        )
        print(f"{'celery-singleton' if peer else pair}: {kills} kills, {words(found)}", flush=True)
        return found


def _start(
    programs: Programs, pair: Pair, url: dict[str, str], folder: Path, *, peer: bool
) -> list[str]:
    celery = [BEATD.with_name("celery"), "-A", "tests.chaos.overlap_app"]
    if peer:
        programs.start("daemon-0", *celery, "beat", "--schedule", folder / "schedule")
        entries = [f"singleton-{n}" for n in range(3)]
    else:
        entries = ENTRIES
        lines = "".join(
            f"  {name}: {{task: {'hold_late' if name.endswith('2') else 'hold'}, every: 1s,"
            f" args: [{name}, {TASK_S}], overlap: {name.partition('-')[0]}, max_run: 5m}}\n"
            for name in ENTRIES
        )
        (folder / "config.yaml").write_text(
            f"store: {{url: '{url[pair.store]}'}}\nbroker: {{url: '{url[pair.broker]}'}}\n"
            f"entries:\n{lines}"
        )
        for number in range(2):
            programs.start(f"daemon-{number}", BEATD, "-c", "config.yaml")
    for number in range(WORKERS):
        name = f"worker-{number}"
        programs.start(
            name, *celery, "worker", "-n", f"{name}@here", "-c", str(CHILDREN), "--without-mingle",
            "--prefetch-multiplier", "1", "-l", "info",
            *(() if peer else ("--include", "beatd.worker.auto")),
        )  # fmt: skip
    return entries


def _kill_at_random(
    programs: Programs, seconds: float, chance: random.Random, *, peer: bool
) -> dict[str, int]:
    """Kill leaders, children of workers and whole workers; return how often each."""
    kills = {"leader": 0, "child": 0, "worker": 0}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(*PAUSES_S))
        what = chance.choices(("leader", "child", "worker"), (2, 5, 1))[0]
        worker = f"worker-{chance.randrange(WORKERS)}"
        if what == "leader":
            programs.kill("daemon-0" if peer else _leader(programs))
        elif what == "worker":
            programs.kill(worker)
        else:
            children = programs.children(worker)
            if not children:
                continue
            programs.kill_one(chance.choice(children))
        kills[what] += 1
    return kills


def _leader(programs: Programs) -> str:
    """Return the name of the daemon that leads, or of one if nobody does."""
    answer = subprocess.run(
        [BEATD, "status", "-c", "config.yaml", "--json"],
        cwd=programs._folder, capture_output=True, check=False,
    )  # fmt: skip
    leader = (json.decode(answer.stdout) if answer.stdout else {}).get("leader") or {}
    pids = {programs.pid(f"daemon-{number}"): f"daemon-{number}" for number in range(2)}
    return pids.get(leader.get("pid"), "daemon-0")


def _delivered_again(folder: Path) -> set[str]:
    """Return the ids of the runs whose message the broker delivered more than once."""
    command = [BEATD, "history", "-c", "config.yaml", "--json"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return {one["task_id"] for one in json.decode(answer.stdout) if one.get("deliveries", 1) > 1}


def words(found: Found) -> str:
    freed = found.freed_after
    longest = f", longest {freed[-1]:.1f} s" if freed else ""
    middle = f"median {freed[len(freed) // 2]:.1f} s" if freed else "none"
    return (
        f"{found.runs} runs: at once {len(found.at_once)}, delivered twice "
        f"{len(found.delivered_twice)}, free after a kill: {middle}{longest}; "
        f"stuck: {', '.join(found.stuck) or 'none'}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "pairs", nargs="*", default=["redis", "postgresql+redis", "postgresql+rabbitmq"]
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", action="store_true", help="celery beat with celery-singleton")
    parser.add_argument("--logs", type=Path, help="keep the logs below this folder")
    given = parser.parse_args()
    broken = False
    for name in ["redis"] if given.peer else given.pairs:
        with tempfile.TemporaryDirectory(prefix="beatd-overlaps-logs-") as temporary:
            folder = (given.logs or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            found = run(PAIRS[name], given.seconds, given.seed, folder, peer=given.peer)
            for one, other in found.at_once[:20]:
                print(f"  at once: {one}\n           {other}")
            late = [one for one in found.freed_after if one > FREE_WITHIN_S]
            broken |= bool(found.at_once or found.stuck or late)
    return int(broken and not given.peer)


if __name__ == "__main__":
    sys.exit(main())
