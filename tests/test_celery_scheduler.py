"""`celery beat -S beatd` and `celery worker -B --scheduler beatd`, as processes and as a class."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import Celery
from celery.beat import Scheduler, Service
from celery.schedules import crontab

from beatd.celery import BeatdScheduler, past_of
from beatd.celery_settings import config_of
from beatd.errors import ConfigError

CELERY = [sys.executable, "-m", "celery"]

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

    def write(self, **settings: Any) -> None:
        (self.folder / "proj.py").write_text(PROJECT.format(settings=settings))

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"log{uuid4().hex[:6]}").open("wb")
        self._stack.callback(log.close)
        process = subprocess.Popen(
            [*CELERY, "-A", "proj", *args],
            cwd=self.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(self.folder), "C_FORCE_ROOT": "1"},
        )
        self._stack.callback(self._end, process)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.kill()
        process.wait(10)

    def log(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace") for path in self.folder.glob("log*"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with ExitStack() as stack:
        yield Project(tmp_path, stack)


@pytest.fixture
def broker(server: Callable[[str], tuple[str, int]]) -> Iterator[tuple[str, redis.Redis]]:
    """A Redis with a queue of our own; the url, and a client to look into it."""
    host, port = server("redis")
    client = redis.Redis(host, port, db=12)
    yield f"redis://{host}:{port}/12", client
    client.close()


def until(true: Callable[[], Any], seconds: float = 20.0, why: Callable[[], str] = str) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {why()}")
        time.sleep(0.02)
    return found


def messages(client: redis.Redis, queue: str) -> list[dict[str, Any]]:
    return [json.loads(raw) for raw in client.lrange(queue, 0, -1)]


def names(found: list[dict[str, Any]]) -> set[str]:
    return {message["headers"]["periodic_task_name"] for message in found}


def moments(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (message["headers"]["periodic_task_name"], message["headers"]["beatd_planned_at"])
        for message in found
    ]


def test_celery_beat_runs_what_the_app_declares(
    project: Project, broker: tuple[str, redis.Redis]
) -> None:
    url, client = broker
    queue = f"q{uuid4().hex[:8]}"
    project.write(broker_url=url, task_default_queue=queue)

    beat = project.start("beat", "-S", "beatd", "-s", str(project.folder / "state"), "-l", "info")
    until(lambda: client.llen(queue) >= 6, why=project.log)
    beat.send_signal(signal.SIGTERM)

    assert beat.wait(10) == 0
    found = messages(client, queue)
    client.delete(queue)
    assert names(found) == {"often", "added"}
    assert len(set(moments(found))) == len(found)
    assert all(message["headers"]["celery_beat_task"] for message in found)
    assert "stopped" in project.log()
    assert (project.folder / "state.beatd").exists() or list(project.folder.glob("state.beatd*"))


def test_a_killed_celery_beat_goes_on_and_repeats_at_most_its_last_batch(
    project: Project, broker: tuple[str, redis.Redis]
) -> None:
    url, client = broker
    queue = f"q{uuid4().hex[:8]}"
    project.write(
        broker_url=url,
        task_default_queue=queue,
        beatd_store_url=f"sqlite:///{project.folder}/store.db",
    )
    for _ in range(2):
        before = client.llen(queue)
        beat = project.start("beat", "-S", "beatd")
        until(lambda before=before: client.llen(queue) >= before + 3, why=project.log)
        beat.kill()
        beat.wait(10)
    found = messages(client, queue)
    client.delete(queue)
    # Killed between publish and record, it cannot know: what was in flight goes out once more,
    # under the same id. The two entries are always one batch.
    assert len(found) - len(set(moments(found))) <= 2
    ids = {
        (*moment, message["headers"]["id"])
        for moment, message in zip(moments(found), found, strict=True)
    }
    assert len(ids) == len(set(moments(found)))


def test_of_several_workers_with_a_beat_only_one_leads(
    project: Project, broker: tuple[str, redis.Redis]
) -> None:
    url, client = broker
    queue, prefix = f"q{uuid4().hex[:8]}", f"t{uuid4().hex[:8]}:"
    project.write(
        broker_url=url,
        task_default_queue=queue,
        task_ignore_result=True,
        beatd_store_url=f"sqlite:///{project.folder}/store.db",
        beatd_prefix=prefix,
    )
    worker = ("worker", "-B", "--scheduler", "beatd", "-P", "solo", "-l", "info",
              "--without-gossip", "--without-mingle", "-Q", f"{queue}-none")  # fmt: skip
    workers = [project.start(*worker, "-n", f"w{i}@%h") for i in range(2)]
    until(lambda: client.llen(queue) >= 6, 40, why=project.log)
    for one in workers:
        one.terminate()
    for one in workers:
        one.wait(20)

    found = messages(client, queue)
    client.delete(queue)
    assert names(found) == {"often", "added"}
    assert len(set(moments(found))) == len(found)


def test_a_killed_worker_takes_its_beat_along(
    project: Project, broker: tuple[str, redis.Redis]
) -> None:
    url, client = broker
    queue = f"q{uuid4().hex[:8]}"
    project.write(
        broker_url=url,
        task_default_queue=queue,
        beatd_store_url=f"sqlite:///{project.folder}/store.db",
    )
    worker = project.start(
        "worker", "-B", "--scheduler", "beatd", "-P", "solo", "-l", "info", "-Q", f"{queue}-none",
        "--without-gossip", "--without-mingle",
    )  # fmt: skip
    until(lambda: client.llen(queue) >= 2, 40, why=project.log)
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text("ascii").split()
    worker.kill()
    worker.wait(10)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), why=project.log)
    client.delete(queue)


def test_a_filesystem_broker_and_the_namespace_of_django(project: Project) -> None:
    folder = project.folder / "queue"
    folder.mkdir()
    (project.folder / "proj.py").write_text(
        "from celery import Celery\n"
        "class Settings:\n"
        f"    CELERY_BROKER_URL = 'filesystem://'\n"
        "    CELERY_BROKER_TRANSPORT_OPTIONS = {\n"
        f"        'data_folder_in': {str(folder)!r}, 'data_folder_out': {str(folder)!r},\n"
        f"        'control_folder': {str(folder)!r}}}\n"
        f"    CELERY_BEATD_STORE_URL = 'sqlite:///{project.folder}/store.db'\n"
        "    CELERY_BEAT_SCHEDULER = 'beatd'\n"
        "    CELERY_BEAT_SCHEDULE = {'a': {'task': 'proj.a', 'schedule': 0.5}}\n"
        "app = Celery('proj')\n"
        "app.config_from_object(Settings, namespace='CELERY')\n"
    )
    beat = project.start("beat")
    until(lambda: list(folder.glob("*.msg")), why=project.log)
    beat.terminate()
    assert beat.wait(10) == 0
    assert (project.folder / "store.db").exists()


# The class


def app_of(**settings: Any) -> Celery:
    app = Celery("proj", broker="memory://", set_as_current=False)
    app.conf.update(settings)
    return app


def test_a_lazy_scheduler_touches_nothing(tmp_path: Path) -> None:
    scheduler = BeatdScheduler(
        app_of(), schedule_filename=str(tmp_path / "s"), max_interval=None, lazy=True, extra=1
    )
    assert f"shelve:{tmp_path}/s.beatd" in scheduler.info
    scheduler.close()
    scheduler.close()
    assert not list(tmp_path.iterdir())


def test_the_banner_shows_no_password() -> None:
    app = app_of(beatd_store_url="postgresql://joe:secret@db/x")
    assert "secret" not in BeatdScheduler(app, lazy=True).info


@pytest.mark.parametrize(
    "configure",
    [
        lambda app: app.conf.update(beatd_store_url="redis://x/1"),
        lambda app: app.conf.update(BEATD_STORE_URL="redis://x/1"),
        lambda app: app.config_from_object({"BEATD_STORE_URL": "redis://x/1"}),
        lambda app: app.config_from_object(
            {"CELERY_BEATD_STORE_URL": "redis://x/1"}, namespace="CELERY"
        ),
        lambda app: app.config_from_object(
            {"BEATD_STORE_URL": "redis://x/1", "CELERYBEAT_SCHEDULE_FILENAME": "f"}
        ),
    ],
    ids=["lower", "upper", "object", "namespace", "old style"],
)
def test_settings_are_read_in_every_style(configure: Callable[[Celery], Any]) -> None:
    app = Celery("proj", broker="memory://", set_as_current=False)
    configure(app)
    assert config_of(app).store.url == "redis://x/1"


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="beatd_lock_ttl"):
        config_of(app_of(beatd_lock_ttl="soon"))


def test_celerys_own_file_is_left_as_it_was_and_its_last_runs_are_known(tmp_path: Path) -> None:
    from celery.beat import PersistentScheduler

    file = tmp_path / "celerybeat-schedule"
    app = app_of(beat_schedule={"tidy": {"task": "t", "schedule": crontab(hour=3)}})
    theirs = PersistentScheduler(app, schedule_filename=str(file))
    theirs.reserve(theirs.schedule["tidy"])
    ran_at = theirs.schedule["tidy"].last_run_at
    theirs.close()
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert past_of(file) == {"tidy": (ran_at, 1)}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_service_drives_it_and_stops_it(tmp_path: Path) -> None:
    """What celery.beat.Service asks of any scheduler class."""
    app = app_of(
        beatd_store_url=f"sqlite:///{tmp_path}/s.db",
        beat_schedule={"a": {"task": "t", "schedule": 3600}},
    )
    service = Service(app, scheduler_cls="beatd", schedule_filename=str(tmp_path / "x"))
    assert isinstance(service.get_scheduler(lazy=True), BeatdScheduler)
    assert isinstance(service.scheduler, Scheduler)
    assert service.scheduler.tick() == 0.0
    assert not service.scheduler.should_sync()
    service.scheduler._do_sync()
    service.sync()
    service.sync()
    assert service._is_stopped.is_set()


def test_an_entry_added_to_the_scheduler_is_declared(tmp_path: Path) -> None:
    app = app_of(beatd_store_url=f"sqlite:///{tmp_path}/s.db")
    scheduler = BeatdScheduler(app)
    scheduler.add(name="late", task="t", schedule=5.0)
    scheduler.update_from_dict({"later": {"task": "t", "schedule": 6.0}})
    assert set(app.conf.beat_schedule) == {"late", "later"}
    assert app.conf.beat_schedule["late"] == {"task": "t", "schedule": 5.0}
    scheduler.close()


def test_the_commands_see_the_store_that_the_app_names(
    project: Project, broker: tuple[str, redis.Redis]
) -> None:
    url, client = broker
    queue = f"q{uuid4().hex[:8]}"
    store = f"sqlite:///{project.folder}/store.db"
    project.write(broker_url=url, task_default_queue=queue, beatd_store_url=store)
    beat = project.start("beat", "-S", "beatd")
    until(lambda: client.llen(queue) >= 2, why=project.log)
    said = subprocess.run(
        [sys.executable, "-m", "beatd", "list", "--json", "-A", "proj"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(project.folder)},
        capture_output=True,
        check=True,
    )
    beat.terminate()
    beat.wait(10)
    client.delete(queue)
    assert {"often", "added"} <= {entry["name"] for entry in json.loads(said.stdout)}


def test_a_deadline_for_crontabs_becomes_a_window() -> None:
    from beatd.clock import SystemClock
    from beatd.sources.app import App

    schedule = {"tidy": {"task": "t", "schedule": crontab(hour=3)}}
    app = app_of(beat_cron_starting_deadline=60, beat_schedule=schedule)
    (entry,) = (
        entry
        for entry in App(app, shown="proj", name="config", clock=SystemClock())
        .read()
        .declared.entries
        if entry.name == "tidy"
    )
    assert entry.catch_up_window is not None
    assert entry.catch_up_window.total_seconds() == 60


def test_two_beats_on_one_file_hand_the_lead_over(
    project: Project, broker: tuple[str, redis.Redis]
) -> None:
    url, client = broker
    queue = f"q{uuid4().hex[:8]}"
    project.write(broker_url=url, task_default_queue=queue)
    words = ("beat", "-S", "beatd", "-s", str(project.folder / "state"), "-l", "info", "--pidfile=")
    first = project.start(*words)
    until(lambda: client.llen(queue) >= 2, why=project.log)
    second = project.start(*words)
    until(lambda: "standing by" in project.log(), why=project.log)
    first.terminate()
    assert first.wait(10) == 0
    before = client.llen(queue)
    until(lambda: client.llen(queue) >= before + 4, why=project.log)
    second.terminate()
    second.wait(10)
    found = messages(client, queue)
    client.delete(queue)
    assert len(set(moments(found))) == len(found)
    assert "leading, term 2" in project.log()
