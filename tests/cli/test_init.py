"""beatd init: what it finds, and that every file it writes can be used."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest

from beatd.config import load_config
from beatd.discovery.environment_urls import BROKERS, DATABASES
from tests.cli.conftest import Beatd, Ended
from tests.process import Process

APP = """
from celery import Celery
app = Celery("proj", broker="redis://localhost:1/0")
app.conf.beat_schedule = {"tick": {"task": "NAME.tick", "schedule": 30.0}}

@app.task(name="NAME.tick")
def tick(): ...
"""
MANAGE = """
import os
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
"""
ENTRIES = "entries:\n  a: {task: NAME.tick, every: 5s}\n"


class Folder:
    """An empty folder in which `beatd init` runs, with an environment without URLs."""

    def __init__(self, path: Path, beatd: Beatd, patch: pytest.MonkeyPatch) -> None:
        self.path, self._beatd, self._patch = path, beatd, patch
        self.module = f"proj_{uuid4().hex[:8]}"  # each test imports its own
        patch.chdir(path)
        for name in (*BROKERS, *DATABASES):
            patch.delenv(name, raising=False)

    def __call__(self, *words: object, code: int = 0) -> Ended:
        ended = self._beatd(*words)
        assert ended.code == code, (ended.code, ended.out, ended.err)
        return ended

    def environment(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def file(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", self.module))
        return path

    def app(self) -> str:
        """Write an app, and return how `celery -A` names it."""
        self.file(f"{self.module}.py", APP)
        return f"{self.module}:app"

    @property
    def text(self) -> str:
        return (self.path / "config.yaml").read_text()


@pytest.fixture
def folder(tmp_path: Path, beatd: Beatd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    made = Folder(tmp_path, beatd, monkeypatch)
    yield made
    sys.modules.pop(made.module, None)


def test_an_empty_folder_gets_a_file_that_can_be_used(folder: Folder) -> None:
    ended = folder("init")
    assert ended.out.splitlines() == [
        "found nothing: no Celery app, no Django project, no URL in the environment",
        "wrote config.yaml",
        "next:",
        "  put the URL of your broker into config.yaml, instead of redis://localhost:6379/0",
        "  beatd check   reports every problem of the file",
        "  beatd doctor  tries every connection, and asks the workers",
        "  beatd run     runs the daemon",
    ]
    assert folder("check").out == "nothing wrong: 0 entries in 1 file\n"


URLS: tuple[Mapping[str, str], ...] = (
    {},
    {"CELERY_BROKER_URL": "redis://:sesame@h:6379/1"},
    {"BROKER_URL": "amqp://u:sesame@h//", "DATABASE_URL": "postgres://u:sesame@h/db"},
    {"CLOUDAMQP_URL": "amqps://u:sesame@h/v", "REDIS_URL": "redis://h"},
    {"REDIS_URL": "rediss://:sesame@h:6380/0?ssl_cert_reqs=none"},
    {"DATABASE_URL": "mysql2://u:sesame@h/db", "BROKER_URL": "nonsense://h"},
    {"DATABASE_URL": "sqlite:///db.sqlite3"},
    {"DATABASE_URL": "mysql://u:sesame@h/db?charset=utf8mb4", "RABBITMQ_URL": ""},
    {"DATABASE_URL": "postgresql+psycopg2://u:sesame@h/db?sslmode=require"},
    {"DATABASE_URL": "postgresql://u:sesame@h/db?nonsense=1", "AMQP_URL": "not a url"},
)
PROJECTS = ("nothing", "app", "django", "django tables")


@pytest.mark.parametrize(
    ("urls", "project", "schedules"), [*product(URLS, PROJECTS, ("", "yes", "bad"))]
)
def test_every_file_it_writes_passes_check_and_has_no_password(
    folder: Folder, urls: Mapping[str, str], project: str, schedules: str
) -> None:
    folder.environment(**urls)
    if project == "app":
        folder.app()
    if project.startswith("django"):
        folder.file("manage.py", MANAGE)
        apps = "['django_celery_beat']" if project == "django tables" else "[]"
        folder.file("site/settings.py", f"INSTALLED_APPS = {apps}\n")
    if schedules:
        folder.file("schedules/a.yaml", ENTRIES if schedules == "yes" else "entries: {a: {}}\n")
    ended = folder("init")
    assert "sesame" not in folder.text + ended.out + ended.err
    checked = folder("check")
    assert ": warning: " not in checked.out
    assert "{}" not in load_config("config.yaml").config.store.url


def test_without_an_app_the_urls_of_the_environment_are_used(folder: Folder) -> None:
    folder.environment(
        CELERY_BROKER_URL="amqp://u:sesame@h//", DATABASE_URL="postgresql://u:sesame@h/db"
    )
    ended = folder("init")
    assert 'broker: {url: "${CELERY_BROKER_URL}"}' in folder.text.splitlines()
    assert 'store: {url: "${DATABASE_URL}"}' in folder.text.splitlines()
    assert ended.out.splitlines()[:2] == [
        "found CELERY_BROKER_URL (amqp://u:***@h//): used as the broker",
        "found DATABASE_URL (postgresql://u:***@h/db): used as the store",
    ]
    assert "  the daemon needs CELERY_BROKER_URL and DATABASE_URL in its environment, too" in (
        ended.out.splitlines()
    )


def test_one_redis_is_broker_and_store(folder: Folder) -> None:
    folder.environment(REDIS_URL="redis://h:6379/0")
    assert "used as the broker and the store" in folder("init").out
    assert load_config("config.yaml").config.store.url == "redis://h:6379/0"


def test_the_broker_of_an_app_is_not_replaced(folder: Folder) -> None:
    folder.app()
    folder.environment(REDIS_URL="redis://cache:6379/0")
    ended = folder("init")
    config = load_config("config.yaml").config
    assert (config.app, config.broker.url) == (f"{folder.module}:app", None)
    assert config.store.url.startswith("sqlite:")
    assert ended.out.splitlines()[:3] == [
        f"found the Celery app {folder.module}:app ({folder.module}.py): used",
        "found a beat_schedule, which beatd reads from the app",
        "found REDIS_URL (redis://cache:6379/0), not used",
    ]
    assert "stop the other scheduler before beatd runs" in ended.out
    assert f"#    task: {folder.module}.tick" in folder.text


def test_no_code_is_run_and_broken_files_are_passed_over(folder: Folder) -> None:
    folder.file("a.py", "raise SystemExit('it was run')\nfrom celery import Celery\nx = Celery()\n")
    folder.file("b.py", "def broken(:\n")
    (folder.path / "c.py").write_bytes(b"\xff\xfe\x00")
    folder.file("venv/pyvenv.cfg", "")
    folder.file("venv/lib.py", "app = Celery('other')\n")
    folder.file("tests/fake.py", "app = Celery('other')\n")
    assert "found the Celery app a:x (a.py): used" in folder("init").out.splitlines()[0]
    assert "other" not in folder.text


def test_several_apps_and_one_below_src(folder: Folder) -> None:
    folder.file("proj/__init__.py", "")
    folder.file("proj/celery.py", "import celery\napp: object = celery.Celery('x')\n")
    folder.file("other.py", "from celery import Celery\nmine = Celery()\n")
    folder.file("src/deep/celery.py", "from celery import Celery\napp = Celery()\n")
    lines = folder("init").out.splitlines()
    assert lines[:3] == [
        "found the Celery app proj.celery:app (proj/celery.py): used",
        "found the Celery app other:mine (other.py), not used; -A chooses it",
        "found the Celery app src.deep.celery:app (src/deep/celery.py), not used: it is not "
        "imported from this folder; give -A",
    ]
    assert "app: proj.celery:app" in folder.text.splitlines()
    assert "#app: other:mine" in folder.text.splitlines()


def test_the_app_of_a_is_used_and_one_that_cannot_be_loaded_is_an_error(folder: Folder) -> None:
    spelling = folder.app()
    folder.file("other.py", "from celery import Celery\napp = Celery()\n")
    folder("init", "-A", spelling)
    assert f"app: {spelling}" in folder.text.splitlines()
    ended = folder("init", "-A", "nosuch:app", "-o", "x.yaml", code=2)
    assert "'nosuch:app' cannot be loaded" in ended.line
    assert not (folder.path / "x.yaml").exists()


def test_a_file_is_kept_without_force(folder: Folder) -> None:
    folder.file("config.yaml", "mine: 1\n")
    ended = folder("init", code=1)
    assert ended.line == (
        "beatd: config.yaml exists already; --force overwrites it, -o FILE names another"
    )
    assert folder.text == "mine: 1\n"
    folder("init", "--force")
    folder("check")


def test_the_file_may_lie_elsewhere_and_on_stdout(folder: Folder) -> None:
    folder.file("schedules/a.yaml", ENTRIES)
    (folder.path / "etc").mkdir()
    folder("init", "-o", "etc/beatd.yaml")
    assert folder("check", "-c", "etc/beatd.yaml").out == "nothing wrong: 1 entry in 2 files\n"
    folder("-c", "etc/other.yaml", "init")
    assert (folder.path / "etc" / "other.yaml").exists()
    printed = folder("init", "-o", "-")
    folder.file("piped.yaml", printed.out)
    assert printed.err == "found entry files in schedules/: used\n"
    folder("check", "-c", "piped.yaml")
    assert "no such file or directory" in folder("init", "-o", "no/x.yaml", code=1).line
    folder("init", "-o", "-", "--json", code=2)


def test_json(folder: Folder) -> None:
    found = folder("init", "--json").json
    assert isinstance(found, dict)
    assert found["file"] == "config.yaml"
    assert found["next"] == ["beatd check", "beatd doctor", "beatd run"]
    assert len(found["found"]) == 1


@pytest.mark.parametrize(
    ("file", "text", "urls", "command"),
    [
        ("celerybeat-schedule", "x", {}, "beatd import celerybeat-schedule:celerybeat-schedule"),
        (
            "settings.py",
            "beat_scheduler = 'redbeat.RedBeatScheduler'\n",
            {"REDIS_URL": "redis://h"},
            'beatd import "redbeat+$REDIS_URL"',
        ),
        (
            "settings.py",
            "beat_scheduler = 'sqlalchemy_celery_beat.schedulers:DatabaseScheduler'\n",
            {},
            "beatd import sqlalchemy-celery-beat+URL",
        ),
    ],
)
def test_a_schedule_of_another_scheduler_is_to_be_imported(
    folder: Folder, file: str, text: str, urls: Mapping[str, str], command: str
) -> None:
    folder.file(file, text)
    folder.environment(**urls)
    ended = folder("init")
    assert f"  {command} --dry-run " in ended.out
    assert "stop the other scheduler before beatd runs" in ended.out


def test_the_tables_of_django_celery_beat_are_the_store(folder: Folder) -> None:
    folder.file("manage.py", MANAGE)
    folder.file("site/settings.py", "INSTALLED_APPS = ['django_celery_beat']\n")
    folder.environment(DATABASE_URL="sqlite:///db.sqlite3")
    ended = folder("init")
    assert ended.out.splitlines()[:3] == [
        "found a Django project (manage.py) with the settings site.settings",
        "found the scheduler django-celery-beat (site/settings.py), whose tables are the store",
        "found DATABASE_URL (sqlite:///db.sqlite3): used as the store",
    ]
    url = load_config("config.yaml").config.store.url
    assert url == f"django-celery-beat+sqlite:///{folder.path}/db.sqlite3"
    assert "beatd import" not in ended.out


def test_the_daemon_runs_on_the_file(folder: Folder) -> None:
    folder.environment(BROKER_URL="memory://")
    folder("init")
    with closing(Process("run", cwd=folder.path)) as daemon:
        daemon.says("leading, term 1")
