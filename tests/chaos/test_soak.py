"""An hour of entries added, edited and removed, of reloads and of requests: nothing grows.

BEATD_SOAK_S is how many seconds it takes in all; 60 will do to try it out.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from beatd.catalog import Change, Progress, Query
from beatd.config import load_config
from beatd.definition import entry_from
from beatd.planning import first
from beatd.store import Store
from beatd.wiring.configured_store import configured_store
from tests.daemon.test_service import free_port, get
from tests.process import Process

LENGTH_S = float(os.environ.get("BEATD_SOAK_S", "3600"))
STORES = ("sqlite", "redis")
WARM = 0.3  # of the samples: caches and connections fill
RELOAD_EVERY_S = 3.0
SAMPLE_EVERY_S = 0.5
LARGE = 200_000  # bytes of arguments
ALIVE = 40  # entries that come and go
MORE_RSS, MORE_THREADS, MORE_DESCRIPTORS = 8 * 2**20, 1, 6  # that may be there at the end

pytestmark = [pytest.mark.long, pytest.mark.timeout(LENGTH_S / len(STORES) + 120)]


class Sample(NamedTuple):
    rss: int
    threads: int
    descriptors: int


def sample_of(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    facts = dict(line.split(":", 1) for line in status.splitlines())
    rss, threads = int(facts["VmRSS"].split()[0]) * 1024, int(facts["Threads"])
    return Sample(rss, threads, len(list(Path(f"/proc/{pid}/fd").iterdir())))


@pytest.fixture(params=STORES)
def config(
    request: pytest.FixtureRequest, tmp_path: Path, server: Callable[[str], tuple[str, int]]
) -> tuple[Path, int]:
    """A configuration, and the port of its pages."""
    host, port = server("redis")
    redis, http = f"redis://{host}:{port}/0", free_port()
    store = redis if request.param == "redis" else f"sqlite:///{tmp_path / 'beatd.db'}"
    path = tmp_path / "config.yaml"
    path.write_text(
        f"broker: {{url: '{redis}'}}\n"
        f"store: {{url: '{store}', prefix: 'soak-{uuid4().hex}:'}}\n"
        f"http: {{bind: '127.0.0.1:{http}'}}\n"
        "log: {level: info}\n"
        "history: {records: 1000}\n"
        "defaults: {options: {queue: soak, expires: 1}}\n"
        "entries: {tick: {task: t, every: 0.2}, tock: {task: t, cron: '* * * * *'}}\n"
    )
    return path, http


class Churn:
    """Entries that come, change and go, as `beatd add`, `edit` and `remove` do it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: Iterator[str] = (f"churn-{number}" for number in range(10**9))
        self._alive: list[str] = []

    def step(self, number: int) -> None:
        self._alive.append(next(self._names))
        self._put(self._alive[-1], every="1s", args=[number])
        self._put("large", every="1s", kwargs={"text": "x" * LARGE + str(number)})
        self._put("moving", cron=f"{number % 60} {number // 60 % 24} * * *")
        if len(self._alive) > ALIVE:
            self._remove(self._alive.pop(0))

    def _put(self, name: str, **plain: Any) -> None:
        options = {"queue": "soak", "expires": 1}
        made = entry_from(name, {"task": "t", "options": options, **plain})
        seen, progress = 0, Progress()
        for stored in self._store.find(Query(names=(name,))):
            seen, progress = stored.revision, stored.progress
        clock = self._store.now()
        plan = first(made, clock.moment if clock else datetime.now(UTC))
        self._store.write([Change(name, seen, made, plan, progress=progress)])

    def _remove(self, name: str) -> None:
        for stored in self._store.find(Query(names=(name,))):
            self._store.write([Change(name, stored.revision, None)])


def test_memory_threads_and_descriptors_stay_flat(config: tuple[Path, int], tmp_path: Path) -> None:
    path, port = config
    daemon = Process("-c", str(path), cwd=tmp_path)
    try:
        daemon.says("published tick")
        samples = lived(daemon, path, port)
    finally:
        daemon.close()
    after = samples[int(len(samples) * WARM) :]
    third = len(after) // 3
    early, late = after[:third], after[-third:]
    grown = {what: low(late, what) - low(early, what) for what in Sample._fields}
    assert grown["rss"] <= MORE_RSS, grown
    assert grown["threads"] <= MORE_THREADS, grown
    assert grown["descriptors"] <= MORE_DESCRIPTORS, grown


def lived(daemon: Process, path: Path, port: int) -> list[Sample]:
    samples: list[Sample] = []
    ends = time.monotonic() + LENGTH_S / len(STORES)
    reload_at = sample_at = time.monotonic()
    with closing(configured_store(load_config(str(path)).config, if_absent="refuse")) as store:
        churn, number = Churn(store), 0
        while (now := time.monotonic()) < ends:
            churn.step(number := number + 1)
            if now >= reload_at:
                daemon.send(signal.SIGHUP)
                daemon.says("configuration reloaded")
                daemon.says("published")
                get(port, "/status")
                get(port, "/metrics")
                daemon.lines.clear()
                reload_at = now + RELOAD_EVERY_S
            if now >= sample_at:
                samples.append(sample_of(daemon.process.pid))
                sample_at = now + SAMPLE_EVERY_S
    return samples


def low(samples: Sequence[Sample], what: str) -> float:
    """Their lower quartile: garbage is collected some time after a reload."""
    return quantiles((getattr(sample, what) for sample in samples), n=4)[0]
