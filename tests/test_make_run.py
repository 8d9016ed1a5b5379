"""`make run` in a terminal: seen by somebody who has just met beatd, from its first line to ^C."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs

ROOT = Path(__file__).parents[1]
VENV = Path(sys.executable).parents[1]
CTRL_C = b"\x03"

Terminal = subprocess.Popen[bytes]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    for name in ("Makefile", "pyproject.toml", "config.example.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "schedules", tmp_path / "schedules")
    installed = f"-o {VENV}/ready VENV={VENV}"
    made = subprocess.Popen(
        [needs.program("script"), "-qefc", f"make {installed} run", "/dev/null"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with made:
        yield made
        made.kill()


def told_to_end(terminal: Terminal) -> list[str]:
    """The lines after ^C, which is typed once a run was seen."""
    assert terminal.stdin is not None and terminal.stdout is not None
    for line in terminal.stdout:
        if b"succeeded" in line:
            break
    terminal.stdin.write(CTRL_C)
    terminal.stdin.flush()
    return [line.decode().rstrip() for line in terminal.stdout]


def test_ctrl_c_ends_daemon_and_worker_with_their_last_words(terminal: Terminal) -> None:
    lines = told_to_end(terminal)
    assert [line for line in lines if "beatd  | " in line and line.endswith("stopped")]
    assert [line for line in lines if "worker | " in line and "Warm shutdown" in line]
    assert "Terminated" not in "\n".join(lines)
    assert terminal.wait() in (0, 130)
