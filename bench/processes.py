"""What a process and its children cost, as the kernel counts it."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        found += [int(child) for child in children.split()]
    return found


def cpu_seconds(pid: int) -> float:
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def precise_cpu_seconds(pid: int) -> float:
    """By the scheduler's nanoseconds, for what costs less than a clock tick."""
    total = 0
    for one in family(pid):
        for thread in Path(f"/proc/{one}/task").glob("*/schedstat"):
            total += int(thread.read_text().split()[0])
    return total / 1e9


def rss_mib(pid: int) -> float:
    total = 0
    for one in family(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        total += next((int(li.split()[1]) for li in status.splitlines() if "VmRSS" in li), 0)
    return total / 1024
