"""Real daemons and a real worker: what became of the runs, and a change of leader in between."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.wiring.backends import open_store
from tests.process import Process
from tests.waiting import until

Start = Callable[..., Process]
ROOT = Path(__file__).parents[2]
CELERY = Path(sys.executable).parent / "celery"
CONFIG = """
app: tests.outcomes.project:app
store: {url: "sqlite:///beatd.db"}
lock: {ttl: 0.5s}
entries:
  ok: {task: project.ok, every: 0.5s}
  bad: {task: project.bad, every: 0.5s}
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    env = {"TEST_BROKER": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    started: list[Process] = []

    def start(*words: str, **more: Path) -> Process:
        started.append(Process(*words, cwd=tmp_path, env=env, **more))
        return started[-1]

    yield start
    for process in started:
        process.close()


def test_outcomes_of_a_real_worker_are_written_and_the_next_leader_goes_on(
    start: Start, tmp_path: Path
) -> None:
    start(
        *("-A", "tests.outcomes.project", "worker", "--pool", "solo", "--loglevel", "error"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        program=CELERY,
    )
    first = start("-c", "config.yaml")
    first.says("leading")
    line = first.says("run failed: bad of ")
    assert line.endswith(": ValueError: no such thing") and " on celery@" in line
    second = start("-c", "config.yaml")
    second.says("standing by")
    first.send(signal.SIGKILL)
    second.says("leading")
    second.says("run failed: bad of ")
    store = open_store(f"sqlite:///{tmp_path}/beatd.db", codec=codec, clock=SystemClock())
    try:
        until(lambda: store.entry_outcomes(["ok"]), 10, "no outcome of ok")
        ok, bad = (store.entry_outcomes(None)[name] for name in ("ok", "bad"))
        assert ok.successes and not ok.failures and bad.failures > 1 and not bad.successes
        assert bad.newest.error == "ValueError: no such thing"
        assert ok.newest.runtime is None or ok.newest.runtime < 10
        assert ok.newest.worker.startswith("celery@")
    finally:
        store.close()
    second.send(signal.SIGTERM)
    assert second.ends() == 0
