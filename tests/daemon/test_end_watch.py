"""SIGTERM while the main thread makes a service, in a process that was stopped and goes on."""

import os
import signal
import subprocess
import sys
import time

from beatd.daemon.next_signal import CHECK_EVERY_S, next_signal
from tests import needs
from tests.process import PATIENCE
from tests.waiting import until

WAITS = "from beatd.daemon.next_signal import next_signal"
PROGRAM = """
import signal, sys
from beatd.daemon.end_watch import ENDS, EndWatch

signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
with EndWatch().watching(lambda: 7):
    for line in sys.stdin:
        print(line, end="", flush=True)
"""


def test_a_process_that_was_frozen_goes_on_and_ends_at_the_signal() -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        for word in (b"1\n", b"2\n", b"3\n"):
            process.stdin.write(word)
            process.stdin.flush()
            assert process.stdout.readline() == word
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            goes_on_at = time.monotonic() + 3 * CHECK_EVERY_S
            until(lambda at=goes_on_at: time.monotonic() > at, PATIENCE, "its wait is over")
            process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 7


def test_the_next_signal_is_one_that_is_waited_for() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    try:
        signals = frozenset({signal.SIGUSR1})
        assert next_signal(signals, 0.0) is None
        signal.raise_signal(signal.SIGUSR2)
        assert next_signal(signals, 0.02) is None
        signal.raise_signal(signal.SIGUSR1)
        assert next_signal(signals, PATIENCE) == signal.SIGUSR1
        assert next_signal(frozenset({signal.SIGUSR2}), 0.0) == signal.SIGUSR2
    finally:
        until(lambda: not signal.sigpending(), 1, "no signal is left")
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_it_waits_under_a_clock_that_libfaketime_shows() -> None:
    # There `time.sleep` raises OSError.
    faketime = needs.program("faketime")
    waits = f"{WAITS}; print(next_signal([], {3 * CHECK_EVERY_S}))"
    command = [faketime, "-f", "+0", sys.executable, "-c", waits]
    environment = os.environ | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("None\n", "")
