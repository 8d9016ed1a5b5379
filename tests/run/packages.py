"""The programs that tests need beside Python's packages, and how apt installs missing ones."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

_MINOR = f"python3.{sys.version_info.minor}"

# What a test calls a program or a module of Python, and the package of Debian that has it.
PACKAGES = {
    "redis-server": "redis-server",
    "postgres": "postgresql",
    "mariadbd": "mariadb-server",
    "rabbitmq-server": "rabbitmq-server",
    "epmd": "erlang-base",
    "pgbouncer": "pgbouncer",
    "openssl": "openssl",
    "chromium": "chromium",
    "systemd-analyze": "systemd",
    "ip": "iproute2",
    "sysctl": "procps",
    "script": "bsdutils",
    "faketime": "faketime",
    "_gdbm": "python3-gdbm",
    "_dbm": f"lib{_MINOR}-stdlib",
}
MODULES = ("_gdbm", "_dbm")
# Debian keeps Python's own modules here; a Python that was built elsewhere can load them, too.
MODULE_FOLDERS = (Path(f"/usr/lib/{_MINOR}/lib-dynload"), Path("/usr/lib/python3/dist-packages"))


def find(name: str) -> Path | None:
    """Return the file of a program or module, or None where it is not installed."""
    if name in MODULES:
        if (spec := find_spec(name)) and spec.origin:
            return Path(spec.origin)
        places = (
            folder / f"{name}{end}" for folder in MODULE_FOLDERS for end in EXTENSION_SUFFIXES
        )
        return next((place for place in places if place.exists()), None)
    found = shutil.which(name, path=os.pathsep.join(_folders()))
    return Path(found) if found else None


def _folders() -> list[str]:
    def version(folder: Path) -> list[int]:
        return [int(part) for part in folder.parent.name.split(".") if part.isdecimal()]

    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)
    # The rabbitmq-server of /usr/sbin runs only as root or rabbitmq, and changes its user.
    ahead = ["/usr/lib/rabbitmq/bin", *map(str, newest)]
    return [*ahead, os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]


def install(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Install what is missing; return the reason for each name that is still missing."""
    wanted = [name for name in names if not find(name)]
    if not wanted:
        return {}
    apt, reason = _apt()
    if not apt:
        return {name: f"{PACKAGES[name]} is not installed, and {reason}" for name in wanted}
    # A new machine may be at its upgrades, which lock apt.
    get = [*apt, "-o", "DPkg::Lock::Timeout=120", "install", "-y", "-qq", "--no-install-recommends"]
    _run([*apt, "update", "-qq"])
    packages = [PACKAGES[name] for name in wanted]
    print(f"installing {', '.join(packages)}…", flush=True)
    missing = dict[str, str]()
    if _run([*get, *packages]):
        for name in wanted:  # one that apt does not know must not keep the others out
            if said := _run([*get, PACKAGES[name]]):
                missing[name] = f"apt-get install {PACKAGES[name]} failed: {said}"
    for name in wanted:
        if not find(name):
            missing.setdefault(name, f"{name} is not in the package {PACKAGES[name]}")
    return missing


def _apt() -> tuple[list[str], str]:
    """Return the words in front of a command of apt-get, or no words and the reason."""
    apt = shutil.which("apt-get")
    if apt is None:
        return [], "there is no apt-get"
    if os.getuid() == 0:
        return [apt], ""
    if shutil.which("sudo") and not _run(["sudo", "-n", "true"]):
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", apt], ""
    return [], "only root may install it (or sudo without a password)"


def _run(command: list[str]) -> str:
    """Return the last line of a command that failed, or nothing."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    lines = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else (lines or ["it gave no reason"])[-1]
