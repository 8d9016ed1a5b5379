"""`make run` in a terminal: seen by somebody who has just met beatd, from its first line to ^C."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.run.servers import free_port

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
    config = tmp_path / "config.example.yaml"  # another run may have the port
    config.write_text(config.read_text().replace("127.0.0.1:9753", f"127.0.0.1:{free_port()}"))
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


def make_with(python: str | Path, venv: Path) -> str:
    """Return what `make run` prints about a Python with which it cannot begin."""
    made = subprocess.run(
        ["make", "-C", ROOT, "run", f"VENV={venv}", f"PYTHON={python}"],
        capture_output=True,
        text=True,
    )
    assert made.returncode != 0 and not venv.exists()
    return made.stdout + made.stderr


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    printed = make_with("python3.99", tmp_path / "venv")
    assert "There is no python3.99 on this machine; install Python 3.11 or later" in printed
    assert "python3-venv" not in printed


def test_a_python_that_is_too_old_is_named_with_its_version(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text(
        "#!/bin/sh\n"
        f'exec {sys.executable} -c \'import sys; sys.version_info = (3, 9, 2, "final", 0); '
        'del sys.argv[1]; exec(sys.argv[1])\' "$@"\n'
    )
    old.chmod(0o755)
    printed = make_with(old, tmp_path / "venv")
    assert f"{old} is Python 3.9.2, and beatd needs Python 3.11 or later" in printed
    assert "python3-venv" not in printed


def test_ctrl_c_ends_daemon_and_worker_with_their_last_words(terminal: Terminal) -> None:
    lines = told_to_end(terminal)
    assert [line for line in lines if "beatd  | " in line and line.endswith("stopped")]
    assert [line for line in lines if "worker | " in line and "Warm shutdown" in line]
    assert "Terminated" not in "\n".join(lines)
    assert terminal.wait() in (0, 130)
