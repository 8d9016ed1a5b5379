"""Twenty ways in which a run does not happen, with a real daemon, broker and worker: `beatd why`
names the cause of each."""

from collections.abc import Callable, Container, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import amqp
import pytest
from celery import Celery
from click.testing import CliRunner
from msgspec import json

from beatd.cli import main
from tests.cable import Cable
from tests.process import BEATD, Process
from tests.waiting import until

Server = Callable[[str], tuple[str, int]]

APP = """
import os, signal, time
from celery import Celery
from kombu import Exchange, Queue
import beatd.worker

app = Celery("scenarios", broker=os.environ["BROKER"], set_as_current=False)
app.conf.task_default_queue = {mine!r}
full = {{"x-max-length": 1, "x-overflow": "reject-publish"}}
app.conf.task_queues = [
    Queue(name, Exchange(name), name, queue_arguments=full if name == {full!r} else None)
    for name in ({mine!r}, {lonely!r}, {full!r})
]
app.conf.worker_prefetch_multiplier = 1
beatd.worker.report(app, queue={reports!r})

@app.task(name="quick")
def quick(): pass

@app.task(name="typed")
def typed(x): pass

@app.task(name="raises")
def raises(): raise ValueError("no such file")

@app.task(name="is_killed")
def is_killed(): os.kill(os.getpid(), signal.SIGKILL)

@app.task(name="sleeps")
def sleeps(): time.sleep(60)
"""

ENTRIES = """
  paused: {{task: quick, every: 1s}}
  disabled: {{task: quick, every: 1s, enabled: false}}
  ended: {{task: quick, every: 1s, end: 2026-01-01T00:00:00Z}}
  finished: {{task: quick, every: 1s, max_runs: 1}}
  nobody: {{task: quick, every: 1s, catch_up: skip, grace: 0.5s}}
  no-consumer: {{task: quick, every: 1s, max_runs: 1, options: {{queue: {lonely}}}}}
  full: {{task: quick, every: 1s, options: {{queue: {full}}}}}
  unroutable: {{task: quick, every: 1s, options: {{exchange: {exchange}, routing_key: nowhere}}}}
  arguments: {{task: typed, every: 1s}}
  expired: {{task: quick, every: 1s, max_runs: 1, options: {{countdown: 2, expires: 1}}}}
  unknown-task: {{task: nobody.knows, every: 1s, max_runs: 1}}
  raised: {{task: raises, every: 1s, max_runs: 1}}
  killed: {{task: is_killed, every: 1s, max_runs: 1}}
  limited: {{task: sleeps, every: 1s, max_runs: 1, options: {{time_limit: 1}}}}
  revoked: {{task: sleeps, every: 1s, max_runs: 1}}
  overlapping: {{task: sleeps, every: 1s, overlap: skip, max_run: 1h}}
  edited: {{task: quick, every: 1s}}
  gap: {{task: quick, cron: "30 2 * * *", tz: Europe/Berlin, dst_gap: skip}}
"""


class Scenarios:
    """A daemon behind a cable, a worker, and the commands about them."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder, self.cable = folder, Cable(host, port)
        self.broker = f"amqp://guest:guest@{host}:{port}//"
        names = ("mine", "lonely", "full", "reports", "exchange")
        self.names = {name: f"why-{name}-{uuid4().hex[:8]}" for name in names}
        (folder / "scenarios.py").write_text(APP.format(**self.names))
        (folder / "jobs.yaml").write_text(f"entries:{ENTRIES.format(**self.names)}")
        (folder / "config.yaml").write_text(
            f"broker: {{url: 'amqp://guest:guest@127.0.0.1:{self.cable.port}//'}}\n"
            "app: scenarios:app\nstore: {url: 'sqlite:///beatd.db'}\nschedules: [jobs.yaml]\n"
            f"outcomes: {{queue: {self.names['reports']}}}\n"
        )
        self.env = {"PYTHONPATH": str(folder), "BROKER": self.broker}
        self.app = Celery("outside", broker=self.broker, set_as_current=False)
        self.daemon = self.worker = None
        with amqp.Connection(f"{host}:{port}") as connection:
            channel = connection.channel()
            channel.exchange_declare(self.names["exchange"], "direct", auto_delete=False)
            full = {"x-max-length": 1, "x-overflow": "reject-publish"}
            channel.queue_declare(
                self.names["full"], durable=True, auto_delete=False, arguments=full
            )
            channel.basic_publish(amqp.Message(b"{}"), routing_key=self.names["full"])

    def start_daemon(self) -> None:
        self.daemon = Process("-c", "config.yaml", cwd=self.folder, env=self.env)

    def start_worker(self) -> None:
        self.worker = Process(
            *("-A", "scenarios", "worker", "-c", "4", "-Q", self.names["mine"]),
            *("--without-mingle", "--without-gossip", "-l", "warning"),
            cwd=self.folder, env=self.env, program=BEATD.with_name("celery"),
        )  # fmt: skip

    def beatd(self, *words: str, codes: Container[int] = (0,)) -> Any:
        config = str(self.folder / "config.yaml")
        ended = CliRunner().invoke(main, [*words, "--json", "-c", config], prog_name="beatd")
        assert ended.exit_code in codes, (words, ended.output)
        return json.decode(ended.stdout)

    def why(self, name: str, *, at: datetime | None = None) -> dict[str, Any]:
        more = () if at is None else ("--at", at.isoformat())
        answer: dict[str, Any] = self.beatd("why", name, *more, codes=(0, 1))
        return answer

    def becomes(self, name: str, cause: str, words: str) -> None:
        """Wait until the first line of `beatd why NAME` has the cause and the words."""
        found: list[Any] = []
        try:
            until(lambda: self._is(name, cause, words, found), 20, "")
        except TimeoutError:
            raise AssertionError(f"{name}: not {cause}, {words}, but {found[-1]}") from None

    def _is(self, name: str, cause: str, words: str, found: list[Any]) -> bool:
        found.append(self.why(name))
        return found[-1]["cause"] == cause and words in found[-1]["line"]

    def newest(self, name: str) -> dict[str, Any]:
        newest: dict[str, Any] = self.beatd("history", name, "--limit", "1")[0]
        return newest

    def daemon_publishes(self) -> bool:
        return bool(self.newest("edited")["state"] == "published")

    def close(self) -> None:
        for process in (self.daemon, self.worker):
            if process is not None:
                process.close()
        self.cable.pull_out()
        with self.app.connection_for_write() as connection:
            for queue in self.names.values():
                connection.default_channel.queue_delete(queue)
            connection.default_channel.exchange_delete(self.names["exchange"])


@pytest.fixture
def scenarios(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scenarios]:
    here = Scenarios(tmp_path, *server("rabbitmq"))
    monkeypatch.chdir(tmp_path)
    for name, value in here.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(tmp_path)
    yield here
    here.close()


def test_why_names_the_cause_in_its_first_line(scenarios: Scenarios) -> None:
    here = scenarios
    here.start_daemon()
    here.start_worker()

    # the plan
    until(here.daemon_publishes, 60, "the daemon publishes", not_yet=(AssertionError, IndexError))
    here.beatd("pause", "paused")
    here.becomes("paused", "paused", "by ")
    here.becomes("disabled", "disabled", "jobs.yaml")
    here.becomes("ended", "ended", "its end")
    last = datetime.fromisoformat(here.newest("finished")["planned"])
    assert here.why("finished", at=last + timedelta(seconds=1))["cause"] == "max runs"
    gap = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert here.why("gap", at=gap)["cause"] == "clock change"

    # the broker and the queue
    here.becomes("no-consumer", "no consumer", here.names["lonely"])
    here.becomes("full", "not sent", "is it full?")
    here.becomes("unroutable", "rejected", "NO_ROUTE")
    here.becomes("arguments", "rejected", "missing 1 required positional argument")

    # the worker and the task
    here.becomes("unknown-task", "unknown task", "does not know the task")
    here.becomes("raised", "failed", "ValueError: no such file")
    here.becomes("killed", "worker killed", "SIGKILL")
    here.becomes("limited", "time limit", "TimeLimitExceeded")
    here.becomes("overlapping", "overlap", "had not ended")
    here.becomes("revoked", "running", "has been running")
    here.app.control.revoke(here.newest("revoked")["task_id"], terminate=True)
    here.becomes("revoked", "revoked", "was revoked")
    here.becomes("expired", "expired", "had expired when")

    # an edit, and a file that became invalid
    ran = datetime.fromisoformat(here.newest("edited")["planned"])
    jobs = here.folder / "jobs.yaml"
    jobs.write_text(
        jobs.read_text().replace(
            "edited: {task: quick, every: 1s", "edited: {task: quick, every: 10h"
        )
    )
    until(lambda: here.beatd("show", "edited")["schedule"] == {"every": "10h"}, 30, "it is applied")
    at = ran + timedelta(minutes=1)
    assert "was edited after its run" in here.why("edited", at=at)["line"]
    jobs.write_text(jobs.read_text() + "  fresh: {task: quick, cron: '5m'}\n")
    here.becomes("fresh", "invalid source", "entries.fresh")

    # nobody leads, and the broker is away
    assert here.daemon is not None
    here.daemon.close()
    away = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > away + timedelta(seconds=1), 5, "its moment passes")
    here.becomes("nobody", "nobody leads", "no daemon runs")
    jobs.write_text(jobs.read_text().replace("  fresh: {task: quick, cron: '5m'}\n", ""))
    here.start_daemon()
    until(lambda: here.why("nobody", at=away)["cause"] == "nobody leads", 60, "it was skipped")
    here.cable.pull_out()
    here.becomes("nobody", "broker away", "cannot reach it")
