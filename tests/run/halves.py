"""Run all tests in two processes of pytest at once: `python tests/run/halves.py [OPTIONS]`.

The options are pytest's. The first process runs the folders in FIRST, the second all other tests,
each beside private servers of its own (servers.py). The output of the second is printed after that
of the first. The exit code is the worse of the two.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a program: make `tests` known
    sys.path[0] = str(Path(__file__).parents[2])

from tests.run import packages

SERVERS = Path(__file__).with_name("servers.py")
# They take half of the time. A new folder is run by the second process.
FIRST = (
    "tests/stores",
    "tests/leaders",
    "tests/publishers",
    "tests/schedules",
    "tests/simulation",
    "tests/why",
    "tests/worker",
    "tests/browser",
)


def main(options: Sequence[str]) -> int:
    packages.install()  # before the two, for apt-get has one user at a time
    command = [sys.executable, SERVERS, "pytest", *options]
    others = [f"--ignore={folder}" for folder in FIRST]
    with tempfile.TemporaryFile() as output:
        halves = [
            subprocess.Popen([*command, *FIRST]),
            subprocess.Popen([*command, *others], stdout=output, stderr=output),
        ]
        # Ctrl-C reaches both by itself, and they decide when to end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: [half.send_signal(number) for half in halves])
        codes = [half.wait() for half in halves]
        output.seek(0)
        shutil.copyfileobj(output, sys.stdout.buffer)
    return max(code if code >= 0 else 128 - code for code in codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
