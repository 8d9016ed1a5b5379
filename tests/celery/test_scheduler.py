"""`celery beat -S beatd` and `celery worker -B --scheduler beatd`, as processes and as a class."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from string import ascii_lowercase
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery.beat import BeatLazyFunc, PersistentScheduler
from celery.schedules import crontab
from kombu import Connection

from beatd.celery.scheduler import BeatdScheduler, last_runs_in
from tests.celery_app import app_of
from tests.process import Process

PATIENCE = 40.0

PROJECT = """
from celery import Celery
app = Celery("proj")
app.config_from_object({settings!r})
app.conf.beat_schedule = {{"often": {{"task": "proj.note", "schedule": 0.5, "args": ["often"]}}}}

@app.on_after_configure.connect
def more(sender, **_):
    sender.add_periodic_task(0.5, note.s("added"), name="added")

@app.task(name="proj.note")
def note(what):
    pass
"""


class Project:
    """A Celery project in a folder, and the processes that were started on it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self._env = {"PYTHONPATH": str(folder), "C_FORCE_ROOT": "1", "PYTHONUNBUFFERED": "1"}

    def write(self, **settings: Any) -> None:
        (self.folder / "proj.py").write_text(PROJECT.format(settings=settings))

    def start(self, *args: str) -> Process:
        words = ("-m", "celery", "-A", "proj", *args)
        program = Path(sys.executable)
        started = Process(*words, cwd=self.folder, env=self._env, program=program)
        self._stack.callback(self._end, started)
        return started

    def _end(self, process: Process) -> None:
        process.process.kill()
        process.ends(PATIENCE)
        process.close()
        # Shown by pytest where the test failed.
        sys.stdout.write("\n".join(process.lines))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with ExitStack() as stack:
        yield Project(tmp_path, stack)


class Queue:
    """A list in Redis that celery sends to, and nobody else."""

    def __init__(self, url: str, client: redis.Redis) -> None:
        self.url, self._client, self.name = url, client, f"q{uuid4().hex[:8]}"
        self.found: list[dict[str, Any]] = []

    def receive(self, count: int) -> None:
        """So many messages more, each waited for."""
        for _ in range(count):
            came = self._client.brpop([self.name], timeout=int(PATIENCE))
            assert came is not None, "nothing is sent"
            self.found.append(json.loads(came[1]))

    def all(self) -> list[dict[str, Any]]:
        """What was received, and what is left there."""
        self.receive(self._client.llen(self.name))
        return self.found


@pytest.fixture
def queue(server: Callable[[str], tuple[str, int]]) -> Iterator[Queue]:
    host, port = server("redis")
    client = redis.Redis(host, port, db=12, socket_timeout=2 * PATIENCE)
    made = Queue(f"redis://{host}:{port}/12", client)
    yield made
    client.delete(made.name)
    client.close()


def names(found: list[dict[str, Any]]) -> set[str]:
    return {message["headers"]["periodic_task_name"] for message in found}


def moments(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (message["headers"]["periodic_task_name"], message["headers"]["beatd_planned_at"])
        for message in found
    ]


def test_celery_beat_runs_what_the_app_declares(project: Project, queue: Queue) -> None:
    project.write(broker_url=queue.url, task_default_queue=queue.name)

    beat = project.start("beat", "-S", "beatd", "-s", str(project.folder / "state"), "-l", "info")
    queue.receive(6)
    beat.send(signal.SIGTERM)

    assert beat.ends(PATIENCE) == 0
    found = queue.all()
    assert names(found) == {"often", "added"}
    assert len(set(moments(found))) == len(found)
    assert all(message["headers"]["celery_beat_task"] for message in found)
    assert any("stopped" in line for line in beat.lines)
    (start,) = [line for line in beat.lines if "starts as" in line]
    assert f"no configuration file, app proj, broker {queue.url}, store shelve:" in start
    assert any("the store has 3 entries" in line for line in beat.lines)
    assert list(project.folder.glob("state.beatd*"))


def test_a_killed_celery_beat_goes_on_and_repeats_at_most_its_last_batch(
    project: Project, queue: Queue
) -> None:
    project.write(
        broker_url=queue.url,
        task_default_queue=queue.name,
        beatd_store_url=f"sqlite:///{project.folder}/store.db",
    )
    for _ in range(2):
        beat = project.start("beat", "-S", "beatd")
        queue.receive(3)
        beat.send(signal.SIGKILL)
        beat.ends(PATIENCE)
    found = queue.all()
    # Killed between publish and record, it cannot know: what was in flight goes out once more,
    # under the same id. The two entries are always one batch.
    assert len(found) - len(set(moments(found))) <= 2
    ids = {
        (*moment, message["headers"]["id"])
        for moment, message in zip(moments(found), found, strict=True)
    }
    assert len(ids) == len(set(moments(found)))


def worker(name: str) -> tuple[str, ...]:
    """One that has a beat and runs nothing."""
    return ("worker", "-B", "--scheduler", "beatd", "-P", "solo", "-l", "info", "-n", f"{name}@%h",
            "--without-gossip", "--without-mingle", "-Q", f"none-{uuid4().hex[:8]}")  # fmt: skip


def test_of_several_workers_with_a_beat_only_one_leads(project: Project, queue: Queue) -> None:
    project.write(
        broker_url=queue.url,
        task_default_queue=queue.name,
        task_ignore_result=True,
        beatd_store_url=f"sqlite:///{project.folder}/store.db",
        beatd_prefix=f"t{uuid4().hex[:8]}:",
    )
    workers = [project.start(*worker(f"w{n}")) for n in range(2)]
    queue.receive(6)
    for one in workers:
        one.send(signal.SIGTERM)
    for one in workers:
        one.ends(PATIENCE)
        assert [line for line in one.lines if "starts as" in line and "app proj" in line]
        assert [line for line in one.lines if "the store has " in line]

    found = queue.all()
    assert names(found) == {"often", "added"}
    assert len(set(moments(found))) == len(found)


def test_a_killed_worker_takes_its_beat_along(project: Project, queue: Queue) -> None:
    project.write(
        broker_url=queue.url,
        task_default_queue=queue.name,
        beatd_store_url=f"sqlite:///{project.folder}/store.db",
    )
    killed = project.start(*worker("w"))
    queue.receive(2)
    pid = killed.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    assert children
    gone = [os.pidfd_open(int(child)) for child in children]
    killed.send(signal.SIGKILL)
    for descriptor in gone:
        # Readable once the process has ended, whoever its parent is by then.
        assert select.select([descriptor], [], [], PATIENCE)[0]
        os.close(descriptor)


def test_a_filesystem_broker_and_the_namespace_of_django(project: Project) -> None:
    folder = project.folder / "queue"
    folder.mkdir()
    places = {"data_folder_in": str(folder), "data_folder_out": str(folder),
              "control_folder": str(folder)}  # fmt: skip
    (project.folder / "proj.py").write_text(
        "from celery import Celery\n"
        "class Settings:\n"
        "    CELERY_BROKER_URL = 'filesystem://'\n"
        f"    CELERY_BROKER_TRANSPORT_OPTIONS = {places}\n"
        f"    CELERY_BEATD_STORE_URL = 'sqlite:///{project.folder}/store.db'\n"
        "    CELERY_BEAT_SCHEDULER = 'beatd'\n"
        "    CELERY_BEAT_SCHEDULE = {'a': {'task': 'proj.a', 'schedule': 0.5}}\n"
        "app = Celery('proj')\n"
        "app.config_from_object(Settings, namespace='CELERY')\n"
    )
    beat = project.start("beat")
    with Connection("filesystem://", transport_options=places) as connection:
        message = connection.SimpleQueue("celery").get(timeout=PATIENCE)
        assert message.headers["periodic_task_name"] == "a"
    beat.send(signal.SIGTERM)
    assert beat.ends(PATIENCE) == 0
    assert (project.folder / "store.db").exists()


# The class


def test_celerys_own_file_is_left_as_it_was_and_its_last_runs_are_known(tmp_path: Path) -> None:
    file = tmp_path / "celerybeat-schedule"
    app = app_of(beat_schedule={"tidy": {"task": "t", "schedule": crontab(hour=3)}})
    theirs = PersistentScheduler(app, schedule_filename=str(file))
    theirs.reserve(theirs.schedule["tidy"])
    ran_at = theirs.schedule["tidy"].last_run_at
    theirs.close()
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert last_runs_in(file) == {"tidy": (ran_at, 1)}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_a_lazy_argument_is_called_when_it_is_sent(tmp_path: Path, queue: Queue) -> None:
    next_letter = BeatLazyFunc(iter(ascii_lowercase).__next__)
    app = app_of(
        broker_url=queue.url,
        task_default_queue=queue.name,
        beatd_store_url=f"sqlite:///{tmp_path}/s.db",
        beat_schedule={"lazy": {"task": "t", "schedule": 0.2, "args": (next_letter,)}},
    )
    scheduler = BeatdScheduler(app)
    try:
        scheduler.tick()
        queue.receive(2)
    finally:
        scheduler.close()
    # A run that was prepared and then skipped, as on a slow machine, has called it, too.
    first, second = (message["headers"]["argsrepr"] for message in queue.found[:2])
    assert first < second


@pytest.mark.parametrize("settings", [{"beatd_store_url": "sqlite:///store.db"}, {}])
def test_the_commands_see_the_store_of_celery_beat(
    project: Project, queue: Queue, settings: dict[str, str]
) -> None:
    project.write(broker_url=queue.url, task_default_queue=queue.name, **settings)
    project.start("beat", "-S", "beatd")
    queue.receive(2)
    said = subprocess.run(
        [sys.executable, "-m", "beatd", "list", "--json", "-A", "proj"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(project.folder)},
        capture_output=True,
        check=True,
    )
    assert {"often", "added"} <= {entry["name"] for entry in json.loads(said.stdout)}


def test_two_beats_on_one_file_hand_the_lead_over(project: Project, queue: Queue) -> None:
    project.write(broker_url=queue.url, task_default_queue=queue.name)
    words = ("beat", "-S", "beatd", "-s", str(project.folder / "state"), "-l", "info", "--pidfile=")
    first = project.start(*words)
    queue.receive(2)
    second = project.start(*words)
    second.says("standing by", PATIENCE)
    first.send(signal.SIGTERM)
    assert first.ends(PATIENCE) == 0
    second.says("leading, term 2", PATIENCE)
    queue.receive(4)
    second.send(signal.SIGTERM)
    second.ends(PATIENCE)
    found = queue.all()
    assert len(set(moments(found))) == len(found)
