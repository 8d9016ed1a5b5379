"""Find out if a celery beat that uses a given schedule file is running on this machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SUFFIXES = ("", ".db", ".dat", ".dir", ".pag")
_DEFAULT_NAME = "celerybeat-schedule"


def who_runs_on(path: Path) -> str:
    """Return a sentence about the celery beat that uses this schedule file, or "" if none runs."""
    files = [file for suffix in _SUFFIXES if (file := Path(f"{path}{suffix}")).is_file()]
    for file in files:
        if _is_locked(file):
            return f"{file} is locked by another process"
    if (pid := _alive(path.parent / "celerybeat.pid")) is not None:
        return f"celerybeat.pid names the process {pid}, which runs"
    for pid in _processes():
        if pid != os.getpid() and _is_beat_on(pid, path):
            return f"the process {pid} is a celery beat on this file"
    return ""


def _is_locked(file: Path) -> bool:
    # gdbm locks the file while it is open.
    try:
        with file.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _alive(pid_file: Path) -> int | None:
    try:
        pid = int(pid_file.read_text().strip())
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (OSError, ValueError, OverflowError):
        return None
    return pid if pid > 0 else None


def _processes() -> Iterator[int]:
    with suppress(OSError):
        for place in Path("/proc").iterdir():
            if place.name.isdigit():
                yield int(place.name)


def _is_beat_on(pid: int, path: Path) -> bool:
    place = Path(f"/proc/{pid}")
    try:
        words = place.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
        if not {"beat", "-B", "--beat"} & set(words):
            return False  # before the rest, for a machine may have a thousand processes
        folder = place.joinpath("cwd").readlink()
    except OSError:
        return False
    if not any(Path(word).name == "celery" for word in words[:4]):
        return False
    return (folder / _schedule_of(words)).resolve() == path.resolve()


def _schedule_of(words: list[str]) -> str:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in ("-s", "--schedule", "--schedule-filename"):
            return following
        if word.startswith(("--schedule=", "--schedule-filename=")):
            return word.partition("=")[2]
    return _DEFAULT_NAME
