"""beatd import, on a store."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from beatd.cli import main

APP = """
from celery import Celery
from celery.schedules import crontab
app = Celery("proj", broker="memory://")
app.conf.timezone = "Europe/Berlin"
app.conf.beat_schedule = {
    "office": {"task": "proj.office", "schedule": crontab(hour="9-17"), "kwargs": {"x": 1}},
    "odd": {"task": "proj.odd", "schedule": "every day"},
}
"""


@pytest.fixture
def beatd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    (tmp_path / "config.yaml").write_text(
        "broker: {url: 'memory://'}\nstore: {url: 'sqlite:///store.db'}\n"
    )
    (tmp_path / "imported_proj.py").write_text(APP)
    (tmp_path / "tab").write_text("30 2 * * * /opt/backup\n@reboot /opt/x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "-c", "config.yaml"])

    return run


def names(result: Result) -> list[str]:
    return [entry["name"] for entry in json.loads(result.stdout)]


def test_a_dry_run_shows_what_each_entry_becomes_and_changes_nothing(
    beatd: Callable[..., Result],
) -> None:
    said = beatd("import", "app:imported_proj", "--dry-run", "--json")
    assert said.exit_code == 1, "one is not carried over"
    told = json.loads(said.stdout)
    (office,) = told["entries"]
    assert office["entry"]["crontab"] == {"hour": "9-17"}
    assert (office["entry"]["tz"], office["outcome"]) == ("Europe/Berlin", "new")
    assert told["refused"][0]["name"] == "odd"
    assert not Path("store.db").exists()


def test_entries_come_in_once_and_nothing_is_due(beatd: Callable[..., Result]) -> None:
    said = beatd("import", "crontab:tab", "--task", "ops.shell")
    assert said.exit_code == 1, "one is not carried over"
    assert "1 imported, 1 not" in said.stdout
    assert "tab:2" in said.stderr
    (entry,) = json.loads(beatd("list", "--json").stdout)
    assert (entry["task"], entry["args"]) == ("ops.shell", ["/opt/backup"])
    assert entry["source"] == "crontab"
    assert "1 unchanged" in beatd("import", "crontab:tab", "--task", "ops.shell").stdout


def test_a_taken_name_is_left_alone_unless_it_is_to_be_replaced(
    beatd: Callable[..., Result],
) -> None:
    Path("tab").write_text("30 2 * * * /opt/backup\n")
    beatd("add", "/opt/backup", "--task", "mine", "--every", "1h")
    said = beatd("import", "crontab:tab", "--task", "ops.shell")
    assert "1 left alone" in said.stdout
    assert "--replace" in said.stderr
    assert said.exit_code == 1
    said = beatd("import", "crontab:tab", "--task", "ops.shell", "--replace")
    assert "1 imported" in said.stdout
    assert said.exit_code == 0
    assert beatd("import", "crontab:tab", "--task", "ops.shell").exit_code == 0
    (entry,) = json.loads(beatd("list", "--json").stdout)
    assert entry["task"] == "ops.shell"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import", "nonsense"), 2),
        (("import", "crontab:missing"), 1),
        (("import", "celerybeat-schedule:missing"), 2),
        (("import", "redbeat+redis://127.0.0.1:1/0"), 1),
        (("import", "app:no_such_module"), 2),
        (("import", "sqlalchemy-celery-beat+sqlite:///missing.db", "--dry-run"), 2),
        (("import", "crontab:tab", "--tz", "Mars/Base"), 2),
    ],
)
def test_what_cannot_be_read_is_one_line(
    beatd: Callable[..., Result], words: Any, code: int
) -> None:
    said = beatd(*words)
    assert said.exit_code == code, said.output
    assert len(said.stderr.strip().splitlines()) == 1
    assert "Traceback" not in said.output
    assert not list(Path().glob("missing*")), "what was to be read is made"


def test_past_runs_come_along(beatd: Callable[..., Result], tmp_path: Path) -> None:
    from tests.imports.test_celerybeat_schedule import entries, write

    write(tmp_path / "celerybeat-schedule", {"entries": entries(), "tz": "UTC"})
    said = beatd("import", "celerybeat-schedule:celerybeat-schedule")
    assert "4 imported" in said.stdout, said.output
    shown = json.loads(beatd("show", "weekly", "--json").stdout)
    assert shown["runs"] == 41
    assert shown["last"].startswith("2026-11-20T12:05:07")
    following, last = (datetime.fromisoformat(shown[key]) for key in ("next", "last"))
    assert (following - last.replace(microsecond=0)) % timedelta(days=7) == timedelta(0)


def test_a_lazy_argument_cannot_leave_its_app(beatd: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "lazy_proj.py").write_text(
        "import os\n"
        "from celery import Celery\n"
        "from celery.beat import BeatLazyFunc\n"
        "app = Celery('proj', broker='memory://')\n"
        "app.conf.beat_schedule = {\n"
        "    'lazy': {'task': 't', 'schedule': 9, 'args': (BeatLazyFunc(os.getpid),)},\n"
        "    'plain': {'task': 't', 'schedule': 9},\n"
        "}\n"
    )
    said = beatd("import", "app:lazy_proj")
    assert "1 imported, 1 not" in said.stdout
    assert "lazy: it has a BeatLazyFunc, which only the app can call; run beatd with -A" in (
        said.stderr
    )
