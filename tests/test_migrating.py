"""The commands of docs/migrating, run as they stand there, in a project of the page's own files."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from tests.process import BEATD, Process

PAGES = Path(__file__).parents[1] / "docs" / "migrating"
BROKER = "redis://localhost:6379/0"
DB = 13
PREFIX = f"migrating{os.getpid()}:"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w.]+\.(?:py|yaml)|tab)\n")


class Page(NamedTuple):
    files: dict[str, str]
    commands: list[str]


def page(name: str, broker: str) -> Page:
    text = (PAGES / f"{name}.md").read_text().replace(BROKER, broker)
    files, commands = {}, []
    for kind, block in FENCE.findall(text):
        named = FILE.match(block)
        if kind == "console":
            commands += [line[2:] for line in block.splitlines() if line.startswith("$ ")]
        elif named:
            files[named[1]] = block[named.end() :]
    return Page(files, commands)


@pytest.fixture
def broker(server: Callable[[str], tuple[str, int]]) -> Iterator[str]:
    host, port = server("redis")
    with redis.Redis(host, port, db=DB) as client:
        _empty(client)
        yield f"redis://{host}:{port}/{DB}"
        _empty(client)


def _empty(client: redis.Redis) -> None:
    for pattern in (f"{PREFIX}*", "redbeat:*", "celery", "_kombu*", "unacked*"):
        for key in client.scan_iter(pattern):
            client.delete(key)


def stays(command: str) -> bool:
    """Whether it is one that runs until it is stopped."""
    words = shlex.split(command)
    if words[0] == "celery":
        return True
    return words[0] == "beatd" and words[1].startswith("-") and len(words) == 3


def run(command: str, folder: Path, until: str = "leading, term") -> str:
    """What it printed; a daemon is stopped once it said so, and must end well."""
    env = {"PYTHONPATH": str(folder), "C_FORCE_ROOT": "1", "COLUMNS": "200"}
    name, *words = shlex.split(command)
    process = Process(*words, cwd=folder, env=env, program=BEATD.with_name(name))
    try:
        if stays(command):
            process.says(until)
            process.send(signal.SIGTERM)
        code = process.ends()
    finally:
        process.close()
    said = "\n".join(process.lines)
    assert code == 0, f"$ {command}\n{said}"
    assert "Traceback" not in said, said
    return said


def made(page: Page, folder: Path) -> None:
    for name, content in page.files.items():
        (folder / name).write_text(content)


def all_of(page: Page, folder: Path, until: str = "leading, term") -> str:
    return "\n".join(run(command, folder, until) for command in page.commands)


def listed(folder: Path, config: str = "config.yaml") -> dict[str, Any]:
    said = run(f"beatd list --json -c {config}", folder)
    # Before or after the list, the other stream says that no daemon leads.
    entries, _ = json.JSONDecoder().raw_decode(said, said.index("["))
    return {entry["name"]: entry for entry in entries}


def test_from_celery_beat(broker: str, tmp_path: Path) -> None:
    from celery import Celery
    from celery.beat import PersistentScheduler

    found = page("celery-beat", broker)
    made(found, tmp_path)
    app = Celery("proj", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {"look": {"task": "proj.look", "schedule": 1.0}}
    PersistentScheduler(app, schedule_filename=str(tmp_path / "celerybeat-schedule")).close()
    kept = (tmp_path / "celerybeat-schedule.dat").read_bytes() if (
        tmp_path / "celerybeat-schedule.dat"
    ).exists() else None  # fmt: skip

    # What the app declares is to be there for those that follow, whoever of them leads.
    said = run(found.commands[0], tmp_path, until="applied: ")
    said += all_of(Page({}, found.commands[1:]), tmp_path)

    assert len(found.commands) == 7
    assert "report" in said
    assert "look" in run("beatd list -A proj", tmp_path)
    assert not (tmp_path / "beatd.db").exists(), "a store that celery beat does not run on"
    if kept is not None:
        assert (tmp_path / "celerybeat-schedule.dat").read_bytes() == kept


def test_from_cron(broker: str, tmp_path: Path) -> None:
    found = page("cron", broker)
    made(found, tmp_path)
    tab = FENCE.search((PAGES / "cron.md").read_text())
    assert tab is not None
    (tmp_path / "tab").write_text(tab[2].partition("\n")[2])

    all_of(found, tmp_path)

    entries = listed(tmp_path)
    assert entries["/opt/backup --full"]["task"] == "ops.shell"
    assert entries["proj.look"]["schedule"] == {"cron": "*/5 9-17 * * mon-fri"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_from_redbeat(broker: str, tmp_path: Path) -> None:
    redbeat = pytest.importorskip("redbeat")
    from celery import Celery
    from celery.schedules import schedule

    app = Celery("proj", broker=broker, set_as_current=False)
    app.conf.redbeat_redis_url = broker
    redbeat.RedBeatSchedulerEntry("look", "proj.look", schedule(3600), app=app).save()
    with redis.Redis.from_url(broker) as client:
        kept = client.dump("redbeat:look")
        found = page("redbeat", broker)
        # Others use the same server: our own keys.
        store = f'store: {{url: "{broker}"'
        config = found.files["config.yaml"].replace(store, f'{store}, prefix: "{PREFIX}"')
        made(Page({"config.yaml": config}, []), tmp_path)

        all_of(found, tmp_path)

        assert listed(tmp_path)["look"]["source"] == "redbeat"
        assert client.dump("redbeat:look") == kept


def test_from_sqlalchemy_celery_beat(broker: str, tmp_path: Path) -> None:
    models = pytest.importorskip("sqlalchemy_celery_beat.models")
    session = pytest.importorskip("sqlalchemy_celery_beat.session")
    manager = session.SessionManager()
    engine, Session = manager.create_session(f"sqlite:///{tmp_path}/schedule.db", schema=None)
    manager.prepare_models(engine, schema=None)
    with Session() as db:
        hourly = models.IntervalSchedule(every=1, period=models.Period.HOURS)
        db.add(hourly)
        db.flush()
        db.add(models.PeriodicTask(name="look", task="proj.look", schedule_model=hourly))
        db.commit()
    engine.dispose()
    found = page("sqlalchemy", broker)
    made(found, tmp_path)

    all_of(found, tmp_path)

    assert set(listed(tmp_path)) == {"look"}


DJANGO = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x", USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    INSTALLED_APPS=["django_celery_beat"],
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django_celery_beat.models import *
every = IntervalSchedule.objects.create(every=1, period="seconds")
PeriodicTask.objects.create(name="look", task="proj.look", interval=every)
"""


def test_from_django(broker: str, tmp_path: Path) -> None:
    pytest.importorskip("django_celery_beat")
    # In a process of its own: Django is set up once per process.
    subprocess.run([sys.executable, "-c", DJANGO], cwd=tmp_path, check=True)
    found = page("django", broker)
    made(found, tmp_path)

    # What its rows declare is to be there for the next command.
    all_of(found, tmp_path, until="1 added")

    assert listed(tmp_path)["look"]["source"] == "django-celery-beat:config"


def test_every_page_is_tried() -> None:
    tried = {"celery-beat", "cron", "django", "redbeat", "sqlalchemy"}
    assert {path.stem for path in PAGES.glob("*.md")} == tried
    first = (PAGES.parent / "migrating.md").read_text()
    assert all(f"migrating/{name}.md" in first for name in tried)
