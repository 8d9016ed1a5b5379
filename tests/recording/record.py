"""Record real commands of beatd: `python -m tests.recording.record FILE.svg`.

A daemon and a Celery worker run beside them, in a folder of their own, with the embedded broker.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.recording.svg import svg
from tests.recording.terminal import Terminal
from tests.waiting import until

TITLE = "A terminal: beatd add, list, history, why and next"
CONFIG = """\
timezone: Europe/Berlin
broker:
  url: "filesystem://"
  transport_options:
    data_folder_in: .run/broker/queue
    data_folder_out: .run/broker/queue
    control_folder: .run/broker/control
store: {url: "sqlite:///.run/beatd.db"}
outcomes: {from: reports}
entries:
  nightly-report: {task: demo.add, cron: "30 2 * * *", args: [2, 2]}
  invoices: {task: demo.say, cron: "0 9 * * mon-fri", args: [invoices]}
  pull-reviews: {task: demo.fail, every: 4s, args: [shop 7]}
"""
#: The commands, and for how many seconds their output is read.
COMMANDS = (
    ("beatd add hello --task demo.say --every 3s --args '[\"hello\"]'", 1.5),
    ("beatd list", 4.0),
    ("beatd history hello --limit 4", 4.0),
    ("beatd why pull-reviews", 5.0),
    ("beatd next nightly-report --from 2027-03-27 -n 3", 5.0),
)
RUNS_MIN = 5  # of the new entry, before its history is shown
RUNS_WITHIN_S = 120.0


def record(folder: Path) -> Terminal:
    """Run the commands beside a daemon and a worker, and return the terminal with their frames."""
    (folder / "config.yaml").write_text(CONFIG)
    kept = ("PATH", "HOME", "PYTHONPATH", "LANG", "VIRTUAL_ENV")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    environment |= {"PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    terminal = Terminal(folder, environment)
    worker = "celery -A beatd.demo worker --hostname worker@shop --pool solo --without-gossip"
    with running(worker, folder, environment), running("beatd run", folder, environment):
        _wait_for_runs("pull-reviews", 1, folder, environment)
        for command, read_for_s in COMMANDS:
            if "history" in command:
                _wait_for_runs("hello", RUNS_MIN, folder, environment)
            terminal.run(command, read_for_s)
    return terminal


@contextmanager
def running(command: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a program in the background; it is ended after the `with` block."""
    with (folder / f"{command.split()[0]}.log").open("wb") as log:
        program = subprocess.Popen(
            command.split(), cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        program.terminate()
        program.wait()


def _wait_for_runs(name: str, many: int, folder: Path, environment: dict[str, str]) -> None:
    """Wait until a worker has ended so many runs of the entry."""
    words = ["beatd", "history", name, "--json"]

    def has_ended() -> bool:
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False)
        records = loads(done.stdout) if done.returncode == 0 else []
        return sum(one["outcome"] in ("succeeded", "failed") for one in records) >= many

    until(has_ended, RUNS_WITHIN_S, f"{many} runs of {name}")


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        recorded = record(Path(name))
    Path(sys.argv[1]).write_text(svg(recorded.frames, TITLE))
