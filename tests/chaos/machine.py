"""The faults that this machine can be given beside the usual ones, and what the others need."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.chaos.faults import DAEMONS
from tests.chaos.pair import FILES, SENTINEL, Pair

LIBFAKETIME = "faketime/libfaketime.so.1"
LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
DISKS = ("redis", "postgresql", "mariadb")  # RabbitMQ takes no messages long before it is full


def kinds(pair: Pair) -> tuple[list[tuple[str, str]], list[str]]:
    """Return more kinds of fault with their targets, and for each kind left out the reason."""
    found, without = [("memory", daemon) for daemon in DAEMONS], list[str]()
    for server in pair.servers:
        found += [("mute", server), ("stutter", server)]
    disks = [server for server in pair.servers if server in DISKS]
    disks += ["file"] if pair.store in FILES else []
    for kind, reason in (("full disk", no_mount()), ("slow disk", no_strace())):
        found += [] if reason else [(kind, disk) for disk in disks]
        without += [f"{kind}: {reason}"] if reason and disks else []
    # Where the store is a file, the clocks of the hosts are the only ones, and must be right.
    if pair.store not in FILES:
        found += [("clock", daemon) for daemon in DAEMONS if libfaketime()]
        without += [] if libfaketime() else ["clock: apt-get install faketime"]
    if pair.store == SENTINEL:
        found += [("kill", "master"), ("freeze", "master"), ("fail over", "master")]
    return found, without


def libfaketime() -> Path | None:
    places = (Path(folder, LIBFAKETIME) for folder in LIBRARIES)
    return next((place for place in places if place.exists()), None)


def no_strace() -> str:
    if os.geteuid():
        return "only root can slow the calls of servers down"
    return "" if shutil.which("strace") else "apt-get install strace"


def no_mount() -> str:
    if os.geteuid():
        return "only root can mount a small disk"
    with tempfile.TemporaryDirectory(prefix="beatd-rig-mount-") as folder:
        try:
            mount(Path(folder))
        except (OSError, subprocess.CalledProcessError):
            return "this machine does not let root mount a small disk"
        unmount(Path(folder))
    return ""


def mount(folder: Path) -> None:
    _run("mount", "-t", "tmpfs", "-o", "size=4g", "beatd-rig", folder)


def unmount(folder: Path) -> None:
    _run("umount", "-l", folder)


def resize(folder: Path, size: int | None = None) -> None:
    """Give a mounted disk that many bytes, or much room."""
    _run("mount", "-o", f"remount,size={'4g' if size is None else size}", folder)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
