"""beatd --shadow beside a real celery beat, on a real Redis."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis

from tests.waiting import until

PROJECT = """
from celery import Celery
app = Celery("proj", broker={broker!r})
app.conf.update(task_default_queue={queue!r}, task_send_sent_event=True,
                event_exchange="e" + {queue!r})
app.conf.beat_schedule = {{
    "often": {{"task": "proj.t", "schedule": 2.0, "args": (1, "x"), "kwargs": {{"a": 2}}}},
}}
"""


@pytest.fixture
def project(
    tmp_path: Path, server: Callable[[str], tuple[str, int]]
) -> Iterator[tuple[Path, Callable[..., subprocess.Popen[bytes]], redis.Redis, str]]:
    host, port = server("redis")
    queue = f"q{uuid4().hex[:8]}"
    text = PROJECT.format(broker=f"redis://{host}:{port}/12", queue=queue)
    (tmp_path / "proj.py").write_text(text)
    with ExitStack() as stack, redis.Redis(host, port, db=12) as client:

        def start(*words: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(tmp_path)},
                stdout=subprocess.DEVNULL,
                stderr=stack.enter_context((tmp_path / f"{words[0]}.log").open("wb")),
            )
            stack.callback(process.wait, 100)
            stack.callback(process.kill)
            return process

        yield tmp_path, start, client, queue
        client.delete(queue)


def report(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "beatd-shadow.json").read_text())
    except FileNotFoundError:
        return {"totals": {}, "heard": 0}
    return found


def met(found: dict[str, Any]) -> int:
    totals = found["totals"]
    return int(totals.get("agreed", 0) + totals.get("other_time", 0))


def test_a_shadow_agrees_with_celery_beat_and_sends_nothing(project: Any) -> None:
    folder, start, client, queue = project
    shadow = start("beatd", "--shadow", "-A", "proj")
    beat = start("celery", "-A", "proj", "beat")
    until(lambda: met(report(folder)) >= 3, 40, "the shadow hears nothing")
    beat.terminate()
    beat.wait(100)
    sent = client.llen(queue)
    shadow.send_signal(signal.SIGTERM)
    assert shadow.wait(100) == 0

    found = report(folder)

    totals = found["totals"]
    assert met(found) >= 3, found
    log = (folder / "beatd.log").read_text()
    assert "app proj, broker redis://" in log and f"store sqlite:///{folder}/" in log
    assert totals["unplanned"] == totals["doubled"] == 0, found
    assert found["heard"] <= sent
    names = {
        json.loads(raw)["headers"].get("periodic_task_name") for raw in client.lrange(queue, 0, -1)
    }
    assert names == {None}, "something was sent by beatd"
    assert (folder / "beatd-shadow.json").stat().st_mode & 0o077 == 0
    said = subprocess.run(
        [sys.executable, "-m", "beatd", "status", "--shadow", "-A", "proj", "--json"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, check=False,
    )  # fmt: skip
    assert json.loads(said.stdout)["totals"] == totals


def test_a_status_without_a_shadow_is_one_line(project: Any) -> None:
    folder = project[0]
    said = subprocess.run(
        [sys.executable, "-m", "beatd", "status", "--shadow", "-A", "proj"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, check=False,
    )  # fmt: skip
    assert said.returncode == 1
    assert b"no shadow has run" in said.stderr
