"""Three daemons on three hosts, store and broker on others; the leader's cables are cut.

    sudo .venv/bin/python -m tests.chaos.partitions [--seconds 10] [--times 3] [--logs FOLDER]

Prints the table of docs/guarantees.md: what each cut cost, with every pair of store and broker.
"""

import argparse
import itertools
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen

from msgspec import Struct

from tests.chaos.arrivals import QUEUE, Arrivals, arriving, doubled, lost, silence
from tests.chaos.hosts import DAEMONS, cut, hosts, mend, running
from tests.chaos.servers import postgresql_on, rabbitmq_on, redis_on
from tests.waiting import until

# ruff: noqa: T201
EVERY = 0.1
CALM, SETTLE = 3.0, 6.0  # seconds watched before a cut and after it is mended

SERVERS = {"PostgreSQL": postgresql_on, "Redis": redis_on, "RabbitMQ": rabbitmq_on}
THE_SAME = "the same Redis"
PAIRS = (
    ("PostgreSQL", "Redis"),
    ("PostgreSQL", "RabbitMQ"),
    ("Redis", "RabbitMQ"),
    ("Redis", "Redis"),
    ("Redis", THE_SAME),
)


class Cost(Struct, frozen=True, kw_only=True):
    """Of one cut."""

    off: str
    leader: str
    taken_over: float | None  # seconds until another one's message arrived
    silent: float
    lost: int
    same_id: int
    other_id: int


class Trial(Struct, frozen=True):
    began: float
    cut: float
    ended: float
    off: str
    leader: str


def costs(store: str, broker: str, seconds: float, times: int, logs: Path) -> list[Cost]:
    """Cut the leader off from one server after the other, and count when all is over."""
    with hosts(), ExitStack() as closing:
        store_url = closing.enter_context(SERVERS[store]("store", logs))
        broker_url, cuts = store_url, {"both": ["store"]}
        if broker != THE_SAME:
            broker_url = closing.enter_context(SERVERS[broker]("broker", logs))
            one_each = {"the store": ["store"], "the broker": ["broker"]}
            cuts = {**one_each, "both": ["store", "broker"]}
        arrivals = closing.enter_context(arriving(broker_url))
        with daemons(store_url, broker_url, logs) as processes:
            trials = [
                trial(arrivals, off, servers, seconds)
                for _, (off, servers) in itertools.product(range(times), cuts.items())
            ]
            ended = [process.args for process in processes if process.poll() is not None]
            assert not ended, f"ended by themselves: {ended}"
        arrivals.watch(1)
    following = [*trials[1:], None]
    return [cost(arrivals, *both) for both in zip(trials, following, strict=True)]


@contextmanager
def daemons(store: str, broker: str, logs: Path) -> Iterator[list[Popen[bytes]]]:
    """One on each host, all of which know who leads."""
    config, beatd = logs / "config.yaml", Path(sys.executable).with_name("beatd")
    # `all`, so that a moment missing among the arrivals is a moment lost.
    config.write_text(
        f"store: {{url: '{store}'}}\nbroker: {{url: '{broker}'}}\n"
        f"entries:\n  tick: {{task: t, every: {EVERY}, catch_up: all, catch_up_max: 100000,"
        f" options: {{queue: {QUEUE}}}}}\n"
    )
    with ExitStack() as closing:
        processes = []
        for host in DAEMONS:
            log = logs / f"daemon-{host}.log"
            # Its own host name, so that `origin` tells who sent a message.
            command = ("unshare", "--uts", "sh", "-c", f"hostname {host}; exec {beatd} -c {config}")
            daemon = running(host, log, *command, end=signal.SIGTERM)
            processes.append(closing.enter_context(daemon))
        until(lambda: all(map(knows_who_leads, logs.glob("daemon-*"))), 20, "no leader")
        yield processes


def knows_who_leads(log: Path) -> bool:
    text = log.read_text()
    return "leading, term" in text or "standing by" in text


def trial(arrivals: Arrivals, off: str, servers: Sequence[str], seconds: float) -> Trial:
    began = time.time()
    leader = arrivals.watch(CALM)[-1].host
    for server in servers:
        cut(server, leader)
    at = time.time()
    arrivals.watch(seconds)
    for server in servers:
        mend(server, leader)
    arrivals.watch(SETTLE)
    return Trial(began, at, time.time(), off, leader)


def cost(arrivals: Arrivals, one: Trial, following: Trial | None) -> Cost:
    # What is lost or doubled in between, or at the end, is a trial's as well.
    until = following.began if following else float("inf")
    after = [arrival for arrival in arrivals.all if one.cut < arrival.at < one.ended]
    others = [arrival.at - one.cut for arrival in after if arrival.host != one.leader]
    same, other = (
        [arrival for arrival in found if one.began <= arrival.at < until]
        for found in doubled(arrivals.all)
    )
    return Cost(
        off=one.off,
        leader=one.leader,
        taken_over=others[0] if others else None,
        silent=silence(after, one.cut),
        lost=sum(one.began <= moment < until for moment in lost(arrivals.all, EVERY)),
        same_id=len(same),
        other_id=len(other),
    )


def row(store: str, broker: str, off: str, found: Sequence[Cost]) -> str:
    """Of the table: several cuts of one kind."""
    after = [one.taken_over or float("inf") for one in found]
    silent = max(one.silent for one in found)
    counts = [sum(getattr(one, name) for one in found) for name in ("lost", "same_id", "other_id")]
    figures = f"{statistics.median(after):.1f} / {max(after):.1f} s", f"{silent:.1f} s", *counts
    return " | ".join(map(str, ("", store, broker, off, *figures, ""))).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="that a cable stays cut")
    parser.add_argument("--times", type=int, default=3, help="that each cable is cut")
    parser.add_argument("--logs", type=Path, help="keep them there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="beatd-partitions-") as fleeting:
        for number, (store, broker) in enumerate(PAIRS):
            logs = (given.logs or Path(fleeting)) / str(number)
            logs.mkdir(parents=True)
            found = costs(store, broker, given.seconds, given.times, logs)
            for off in dict.fromkeys(one.off for one in found):
                some = [one for one in found if one.off == off]
                print(row(store, broker, off, some), flush=True)


if __name__ == "__main__":
    main()
