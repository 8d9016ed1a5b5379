"""The faults beside those of processes and cables: whom they can strike, and what they do."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.chaos import machine
from tests.chaos.daemons import Daemons
from tests.chaos.disks import empty, fill
from tests.chaos.faults import STEPS_S, schedule
from tests.chaos.pair import Pair, pair_of
from tests.chaos.stutter import Stutter
from tests.waiting import until

SLEEP = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGHUP, print); print(flush=True); time.sleep(60)",
]


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "no_mount", lambda: "")
    monkeypatch.setattr(machine, "no_strace", lambda: "")
    monkeypatch.setattr(machine, "libfaketime", lambda: Path("libfaketime"))


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(SLEEP, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started
        started.kill()


@pytest.mark.usefixtures("able")
def test_each_pair_has_the_faults_that_fit_its_store() -> None:
    of = {name: set(machine.kinds(pair_of(name))[0]) for name in ("redis", "sqlite+rabbitmq")}
    of["sentinel"] = set(machine.kinds(Pair("sentinel", "redis"))[0])
    assert {("full disk", "redis"), ("slow disk", "redis"), ("clock", "leader")} <= of["redis"]
    assert {("full disk", "file"), ("mute", "rabbitmq")} <= of["sqlite+rabbitmq"]
    kinds = {kind for kind, _ in of["sqlite+rabbitmq"]}
    assert "clock" not in kinds, "the host's clock is the only one there"
    assert ("full disk", "rabbitmq") not in of["sqlite+rabbitmq"]
    assert {("kill", "master"), ("freeze", "master"), ("fail over", "master")} <= of["sentinel"]


def test_what_the_machine_lacks_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "no_mount", lambda: "only root")
    monkeypatch.setattr(machine, "no_strace", lambda: "no strace")
    monkeypatch.setattr(machine, "libfaketime", lambda: None)
    found, without = machine.kinds(pair_of("redis"))
    assert {kind for kind, _ in found} == {"memory", "mute", "stutter"}
    assert without == [
        "full disk: only root",
        "slow disk: no strace",
        "clock: apt-get install faketime",
    ]


def test_a_machine_without_mount_has_no_small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert machine.no_mount()


def test_a_pair_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no such pair: oracle"):
        pair_of("oracle+redis")


def test_clocks_step_by_each_length_in_turn() -> None:
    faults = schedule("1", 100, [("clock", "leader")])
    steps = Counter(fault.step_s for fault in faults)
    assert set(steps) == set(STEPS_S)
    assert f"clock leader for {faults[0].lasts_s:.1f} s, by {faults[0].step_s:+.0f} s" in str(
        faults[0]
    )


def test_a_process_that_stutters_runs_again_afterwards(
    process: "subprocess.Popen[bytes]",
) -> None:
    stutter, states = Stutter(process.pid), set[str]()
    while "T" not in states:
        states.add(Path(f"/proc/{process.pid}/stat").read_text().split()[2])
    stutter.end()
    while Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "T":
        pass


@pytest.mark.skipif(bool(machine.no_mount()), reason=machine.no_mount())
def test_a_full_disk_takes_nothing_more_until_it_is_mended(tmp_path: Path) -> None:
    machine.mount(tmp_path)
    try:
        (tmp_path / "kept").write_bytes(b"x" * 100_000)
        fill(tmp_path)
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "more").write_bytes(b"x" * 100_000)
        empty(tmp_path)
        (tmp_path / "more").write_bytes(b"x" * 100_000)
    finally:
        machine.unmount(tmp_path)


def test_a_daemon_with_all_its_memory_gets_no_more_until_it_is_mended(tmp_path: Path) -> None:
    home = tmp_path / "daemon"
    home.mkdir()
    daemons = Daemons([home], SLEEP)
    try:
        (pid,) = daemons.pids()
        until(lambda: daemons.log(0).read_bytes(), 20, "the process does not start")
        daemons.limit_memory(0)
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert limits.split("Max address space")[1].split()[0] != "unlimited"
        daemons.lift_memory(0)
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert limits.split("Max address space")[1].split()[0] == "unlimited"
        os.kill(pid, signal.SIGKILL)
        daemons.lift_memory(0)
    finally:
        daemons.close()


def test_the_wall_clock_of_one_daemon_steps_and_its_other_clocks_do_not(tmp_path: Path) -> None:
    needs.program("faketime")
    home = tmp_path / "daemon"
    home.mkdir()
    shown = "import time; print(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), flush=True)"
    daemons = Daemons([home], [sys.executable, "-c", "pass"], libfaketime=machine.libfaketime())
    try:
        daemons.step_clock(0, -3600)
        told = subprocess.run(
            [sys.executable, "-c", shown],
            env=daemons.environment(0),
            stdout=subprocess.PIPE,
            check=True,
        )
    finally:
        daemons.close()
    wall, boot = map(float, told.stdout.split())
    assert abs(wall - time.time() + 3600) < 60
    assert abs(boot - time.clock_gettime(time.CLOCK_BOOTTIME)) < 60
