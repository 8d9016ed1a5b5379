"""The cases: each takes a contestant and a number of entries, and gives the figures of one run."""

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from subprocess import Popen
from typing import Any

from bench.arrivals import first, growth, queue_of, taken
from bench.contestants import Contestant, Job, running
from bench.figures import quantile
from bench.pollers import clients_of
from bench.processes import precise_cpu_seconds, rss_mib
from bench.servers import QUEUE, places

Figures = dict[str, Any]
PLANNED = "beatd_planned_at"
SETTLE = 2.5  # seconds of a steady run that are not counted; then it is between two moments
ON_WHOLE_SECONDS = ("apscheduler",)  # whose entries are told to begin there


@contextmanager
def set_up(
    who: Contestant, kind: str, entries: int, at: float = 0.0, variant: str = ""
) -> Iterator[tuple[Any, Any]]:
    with (
        tempfile.TemporaryDirectory(prefix="beatd-bench-") as folder,
        places(who.store, who.broker, Path(folder)) as (store, broker),
    ):
        queue = queue_of(broker, QUEUE)
        job = Job(who.system, kind, entries, at, store, broker, QUEUE, folder, variant)
        try:
            yield running(job), queue
        finally:
            queue.close()


@contextmanager
def started(runner: Any) -> Iterator["Popen[bytes]"]:
    process = runner.start()
    try:
        yield process
        if process.poll() is not None:
            raise RuntimeError(f"it ended: {runner.log.read_text()[-1500:]}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except Exception:
            process.kill()


def herd(who: Contestant, entries: int, *, patience: float = 40.0, variant: str = "") -> Figures:
    """All of them due in one instant: when do they reach the broker?"""
    lead = lead_time(who, entries)
    try:
        return herd_in(lead, who, entries, patience, variant)
    except LoadedTooLate as late:
        return herd_in(max(2 * lead, 3 * late.seconds), who, entries, patience, variant)


class LoadedTooLate(RuntimeError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"loading took {seconds:.0f} s, the moment has passed")
        self.seconds = seconds


def herd_in(
    seconds: float, who: Contestant, entries: int, patience: float, variant: str
) -> Figures:
    at = float(int(time.time() + seconds))
    with set_up(who, "herd", entries, at, variant) as (runner, queue):
        loaded = runner.load()
        if time.time() > at - 3:
            raise LoadedTooLate(loaded)
        with (
            started(runner) as process,
            clients_of(runner.http_port, pages=runner.pages, api_rate=runner.api_rate) as clients,
        ):
            time.sleep(max(0.0, at - 1 - time.time()))
            before = precise_cpu_seconds(process.pid)
            steps = growth(queue, entries, at, patience)
            cpu = precise_cpu_seconds(process.pid) - before
        waiting = sum(many for _, many in steps)
        ids = Counter(headers["id"] for _, headers in drained(queue, waiting))
    if not steps:
        return {"arrived": 0, "per_second": 0.0}
    late = [when - at for when, many in steps for _ in range(many)]
    return {
        "arrived": waiting,
        "twice": sum(ids.values()) - len(ids),
        "first_ms": late[0] * 1e3,
        "p50_ms": median(late) * 1e3,
        "last_ms": late[-1] * 1e3,
        "cpu_us_each": cpu / len(late) * 1e6,
        "per_second": len(late) / max(late[-1], 1e-4),
        "steps": [(when - at, many) for when, many in steps],
        **clients,
    }


def lead_time(who: Contestant, entries: int) -> float:
    """Seconds until the herd's moment: to load, to start, and to be ready."""
    per_second = {"beatd": 4000, "apscheduler": 500, "redbeat": 1000}.get(who.system, 1500)
    return 9 + 2.0 * entries / per_second


def drained(queue: Any, count: int) -> list[Any]:
    """All messages that wait, within reason: ten thousand are looked at."""
    end = time.time() + 5
    left = min(count, 10_000)
    found: list[Any] = []
    while left > len(found) and time.time() < end:
        found += taken(queue, once())
    return found


def once() -> Any:
    turns = iter((False, True))
    return lambda now: next(turns)


def steady(who: Contestant, entries: int, *, seconds: float = 30.0) -> Figures:
    """All of them each second: how late, how many never, at what cost?"""
    with set_up(who, "steady", entries) as (runner, queue):
        runner.load()
        with (
            started(runner) as process,
            clients_of(runner.http_port, pages=runner.pages, api_rate=runner.api_rate) as clients,
        ):
            if first(queue, 60) is None:
                return {"never_sent": 1.0}
            begun = time.time() + SETTLE
            before: list[float] = []

            def over(now: float) -> bool:
                if now >= begun and not before:
                    before.append(precise_cpu_seconds(process.pid))
                return now >= begun + seconds

            found = taken(queue, over)
            cpu = precise_cpu_seconds(process.pid) - before[0]
    late, behind = lateness(who, [(at, h) for at, h in found if at >= begun])
    return {
        "never_sent": max(0.0, 1 - len(late) / (entries * seconds)),
        "p50_ms": quantile(late, 0.5) * 1e3,
        "p99_ms": quantile(late, 0.99) * 1e3,
        "max_ms": max(late) * 1e3,
        "behind_s": behind,
        "cpu": cpu / seconds,
        **clients,
    }


def lateness(
    who: Contestant, found: list[tuple[float, dict[str, Any]]]
) -> tuple[list[float], float]:
    """Of each message, by the moment it names or by its entry's grid; and the last one of all.

    Who names no moment is measured against the beat that each entry's own first message began.
    """
    late: list[float] = []
    ends: list[float] = []
    beats: dict[str, list[float]] = defaultdict(list)
    for at, headers in found:
        if planned := headers.get(PLANNED):
            late.append(at - datetime.fromisoformat(planned).timestamp())
        else:
            beats[headers["argsrepr"]].append(at)
    for times in beats.values():
        grid = float(int(times[0])) if who.system in ON_WHOLE_SECONDS else times[0]
        behind = [at - grid - n for n, at in enumerate(times)]
        late += behind
        ends.append(behind[-1])
    return late, max(ends or late[-1000:])


def until_idle(pid: int, patience: float) -> float:
    """When it had nothing more to do: a second with less than a twentieth of a core."""
    end = time.time() + patience
    while (now := time.time()) < end:
        before = precise_cpu_seconds(pid)
        time.sleep(1)
        if precise_cpu_seconds(pid) - before < 0.05:
            return now
    return end


def scale(who: Contestant, entries: int, *, idle: float = 10.0, patience: float = 120.0) -> Figures:
    """Many entries, none of them due: what do they cost?"""
    with set_up(who, "far", entries) as (runner, queue):
        loaded = runner.load()
        begun = time.time()
        with started(runner) as process:
            ready = first(queue, patience)
            if ready is None:
                return {"load_s": loaded, "ready_s": float("inf"), "rss_mib": rss_mib(process.pid)}
            settled = until_idle(process.pid, patience)
            spent = precise_cpu_seconds(process.pid)
            before = precise_cpu_seconds(process.pid)
            time.sleep(idle)
            cpu = (precise_cpu_seconds(process.pid) - before) / idle
            rss = rss_mib(process.pid)
            queue.take()
            edited = runner.edit()
            acted = None if edited is None else first(queue, 60)
    figures: Figures = {
        "load_s": loaded,
        "ready_s": ready - begun,
        "settled_s": settled - begun,
        "cpu_until_then_s": spent,
        "rss_mib": rss,
        "idle_cpu": cpu,
    }
    if edited is not None:
        figures["edit_s"] = float("inf") if acted is None else max(0.0, acted - edited)
    return figures
