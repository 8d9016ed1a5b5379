"""Run all tests in three processes of pytest, and the linters, at once:
`python tests/run/parts.py [OPTIONS]`.

The options are pytest's. Each process of PARTS runs its folders, the last one all other tests, each
beside private servers of its own (servers.py). The output of the first is shown at once, that of
the others and of the linters one after another when all have ended. The exit code is the worst.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

if not __package__:  # run as a program: make `tests` known
    sys.path[0] = str(Path(__file__).parents[2])

from tests.run import packages

SERVERS = Path(__file__).with_name("servers.py")
LINTERS = ("sh", "-c", "ruff format --check . && ruff check . && mypy")
# They should end together. There are more processes than cores, because a test of real processes
# waits for most of its time; those of the second part do. The last process runs a new folder.
PARTS = (
    ("tests/stores", "tests/leaders", "tests/packaging", "tests/browser"),
    (
        "tests/publishers",
        "tests/daemon",
        "tests/chaos",
        "tests/celery",
        "tests/why",
        "tests/worker",
        "tests/outcomes",
        "tests/doctor",
    ),
)


def main(options: Sequence[str]) -> int:
    packages.install()  # before the others, for apt-get has one user at a time
    command = [sys.executable, SERVERS, "pytest", *options]
    others = [f"--ignore={folder}" for folders in PARTS for folder in folders]
    with ExitStack() as closing:
        running = [subprocess.Popen([*command, *PARTS[0]])]
        outputs = []
        for one in (*([*command, *what] for what in (*PARTS[1:], others)), LINTERS):
            outputs.append(output := closing.enter_context(tempfile.TemporaryFile()))
            running.append(subprocess.Popen(one, stdout=output, stderr=output))
        # Ctrl-C reaches them by itself, and they decide when to end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: [one.send_signal(number) for one in running])
        codes = [one.wait() for one in running]
        for output in outputs:
            output.seek(0)
            shutil.copyfileobj(output, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    return max(code if code >= 0 else 128 - code for code in codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
