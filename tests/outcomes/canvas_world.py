"""Entries that run canvases and must not overlap, and a real daemon and worker that run them."""

import json
import sys
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.store import Store
from beatd.wiring.backends import open_store
from tests.process import Process
from tests.publishers.brokers import delete, unique
from tests.publishers.workers.worker import ROOT, Worker

PROJECT = "tests.outcomes.canvas_project"
LATER = "later"  # replaced by a queue that no worker reads until the test says so


def step(name: str, end: str = "success", **more: Any) -> dict[str, Any]:
    return {"task": "canvases.step", "kwargs": {"name": name, "end": end}, **more}


CHAIN = {"chain": [step("a"), step("b"), step("c")]}
GROUP = {"group": [step("a"), step("b"), step("c")]}
CHORD = {"chord": {"header": [step("a"), step("b")], "body": step("c")}}
ENTRIES: dict[str, dict[str, Any]] = {
    **{
        f"{rule} {kind}": {**canvas, "overlap": rule}
        for rule in ("skip", "queue")
        for kind, canvas in (("chain", CHAIN), ("group", GROUP), ("chord", CHORD))
    },
    "failing chain": {"chain": [step("a"), step("b", "failure"), step("c")]},
    "retried chain": {"chain": [step("a", "retry"), step("b", "retry")]},
    "retried group": {"group": [step("a", "retry"), step("b")]},
    "chain twice": {"chain": [step("a"), step("b", "twice")]},
    "failing chord": {
        "chord": {
            "header": [step("a", "failure"), step("b", options={"queue": LATER})],
            "body": step("c"),
        }
    },
}


class World:
    """A daemon with all entries, a worker, and what they use: a broker, a store and results."""

    def __init__(
        self, url: dict[str, str], notes: redis.Redis, notes_url: str, folder: Path
    ) -> None:
        self.url, self.notes, self.folder = url, notes, folder
        self.queue, self.later, self.reports = unique("now"), unique("later"), unique("reports")
        told = {
            "notes": notes_url, "broker": url["broker"], "results": url["results"],
            "queue": self.queue, "reports": self.reports,
        }  # fmt: skip
        due = {name: {"every": 0.2, **plain} for name, plain in ENTRIES.items()}
        entries = json.dumps(due).replace(f'"{LATER}"', f'"{self.later}"')
        (folder / "config.yaml").write_text(
            f"app: {PROJECT}:app\nstore: {{url: '{url['store']}'}}\n"
            f"outcomes: {{queue: {self.reports}}}\n"
            f"defaults: {{max_run: 1h, overlap: skip}}\nentries: {entries}\n"
        )
        self.worker = Worker(PROJECT, self.queue, folder, "-c", "64", pool="threads", **told)
        env = {f"BEATD_TEST_{name.upper()}": value for name, value in told.items()}
        self.daemon = Process(
            *("-W", "ignore", "-m", "beatd", "-c", "config.yaml"),
            cwd=folder,
            env={**env, "PYTHONPATH": str(ROOT)},
            program=Path(sys.executable),
        )
        self.app = Celery("canvases", broker=url["broker"], set_as_current=False)

    def open(self) -> Store:
        self.worker.ready()
        self.daemon.says("leading")
        return open_store(self.url["store"], codec=codec, clock=SystemClock())

    def close(self) -> None:
        self.worker.stop()
        self.daemon.close()
        self.app.close()
        for queue in (self.queue, self.later, self.reports):
            delete(self.url["broker"], queue)
