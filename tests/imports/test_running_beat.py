"""Who runs on a celerybeat-schedule while it is imported."""

import fcntl
import os
import signal
from pathlib import Path

import pytest

from beatd.imports.running_beat import who_runs_on
from tests.process import BEATD, Process

CELERY = BEATD.with_name("celery")
APP = """
from celery import Celery
app = Celery("proj", broker="memory://")
app.conf.beat_schedule = {"often": {"task": "t", "schedule": 60.0}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "celerybeat-schedule"
    made.touch()
    return made


def test_nobody_runs_on_a_file_that_is_left_alone(path: Path) -> None:
    path.with_name("celerybeat.pid").write_text("nonsense")
    assert who_runs_on(path) == ""


def test_the_lock_of_gdbm_is_seen(path: Path) -> None:
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert who_runs_on(path) == f"{path} is locked by another process"
    assert who_runs_on(path) == ""


def test_a_process_in_the_pid_file_is_seen(path: Path) -> None:
    path.with_name("celerybeat.pid").write_text(f"{os.getpid()}\n")
    assert who_runs_on(path) == f"celerybeat.pid names the process {os.getpid()}, which runs"


@pytest.mark.parametrize("words", [(), ("-s", "other")], ids=["default", "-s"])
def test_a_real_celery_beat_is_refused_until_it_has_stopped(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "proj.py").write_text(APP)
    (tmp_path / "config.yaml").write_text(
        "broker: {url: 'memory://'}\nstore: {url: 'sqlite:///store.db'}\n"
    )
    name = words[-1] if words else "celerybeat-schedule"
    importing = ("import", f"celerybeat-schedule:{name}", "-c", "config.yaml")
    beat = Process("-A", "proj", "beat", "-l", "info", *words, cwd=tmp_path, program=CELERY)
    try:
        beat.says("beat: Starting")
        refused = Process(*importing, cwd=tmp_path)
        assert "celery beat runs: " in refused.says("Stop it before the import")
        assert refused.ends() == 1
        refused.close()
        beat.send(signal.SIGTERM)
        beat.ends()
    finally:
        beat.close()
    done = Process(*importing, cwd=tmp_path)
    done.says(" imported")
    assert done.ends() == 0
    done.close()
