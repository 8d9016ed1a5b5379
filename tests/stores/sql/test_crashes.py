"""What was acknowledged is there, whole, whoever is killed at whatever instant."""

import subprocess
import sys

import pytest


def kill_writers(url: str, rounds: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.stores.sql.killed", url, str(rounds)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_killed_writer_leaves_whole_what_was_acknowledged(url: str) -> None:
    kill_writers(url, 10)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_five_hundred_killed_writers_leave_whole_what_was_acknowledged(url: str) -> None:
    kill_writers(url, 500)
