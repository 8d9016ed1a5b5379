"""What check and add tell of runs that will fail, while there is still time."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celery import Celery
from msgspec.structs import replace

from beatd.cli.entry_warnings import chord_backend, warnings_of
from beatd.cli.leader_note import NOBODY_LEADS
from beatd.definition import entry_from
from beatd.errors import ScheduleError
from tests.cli.conftest import Here
from tests.process import BEATD

App = Callable[..., None]

APP = """
from celery import Celery

app = Celery("{module}", broker="memory://", set_as_current=False)
app.conf.result_expires = None


@app.task(shared=False, name="tasks.ping")
def ping(): ...


@app.task(shared=False, name="tasks.pair", bind=True)
def pair(self, x, *, y=1): ...


@app.task(shared=False, name="tasks.loose", typing=False)
def loose(): ...
"""


@pytest.fixture
def project(here: Here, monkeypatch: pytest.MonkeyPatch) -> App:
    """A module of this name, whose app is the one that the configuration names."""

    def write(module: str, text: str = APP) -> None:
        here.file(f"{module}.py", text.replace("{module}", module))
        here.config(f"app: {module}:app\n")

    monkeypatch.syspath_prepend(str(here.folder))
    return write


def entry(here: Here, written: str) -> None:
    config = here.folder / "config.yaml"
    config.write_text(f"{config.read_text()}entries:\n  a: {written}\n")


@pytest.mark.parametrize(
    ("written", "warned"),
    [
        ("{task: tasks.pnig, every: 5s}", "entries.a.task: 'tasks.pnig' is not registered in the"),
        ("{task: tasks.pnig, every: 5s}", "did you mean tasks.ping?"),
        ("{task: tasks.ping, every: 5s, args: [1, 2]}", "entries.a.args: do not fit tasks.ping"),
        ("{task: tasks.pair, every: 5s}", "missing 1 required positional argument: 'x'"),
        ("{task: tasks.pair, every: 5s, args: [1], kwargs: {z: 1}}", "keyword argument 'z'"),
        (
            "{task: tasks.ping, every: 5s, options: {serializer: pickle}}",
            "entries.a.options.serializer: pickle is not in the app's accept_content",
        ),
    ],
)
def test_check_warns_of_runs_that_fail(here: Here, project: App, written: str, warned: str) -> None:
    project("foreseen_app")
    entry(here, written)
    ended = here("check")
    assert "config.yaml:7: warning: entries.a" in ended.out
    assert warned in ended.out
    assert "1 warning" in ended.out


@pytest.mark.parametrize(
    "written",
    [
        "{task: tasks.ping, every: 5s}",
        "{task: tasks.pair, every: 5s, args: [1], kwargs: {y: 2}}",
        "{task: tasks.loose, every: 5s, args: [1, 2, 3]}",
    ],
)
def test_check_is_content_with_what_the_app_takes(here: Here, project: App, written: str) -> None:
    project("foreseen_app")
    entry(here, written)
    assert here("check").out == "nothing wrong: 1 entry in 1 file\n"


def test_an_app_that_registers_nothing_of_its_own_misses_nothing(here: Here, project: App) -> None:
    project("sending_app", APP.partition("@app")[0])
    entry(here, "{task: elsewhere.ping, every: 5s, args: [1]}")
    # In a process of its own: celery shares the tasks of one app with all others around it.
    checked = subprocess.run([BEATD, "check"], cwd=here.folder, capture_output=True, text=True)
    assert checked.stdout.startswith("nothing wrong"), checked


def test_add_says_the_same_and_adds(here: Here, project: App) -> None:
    project("foreseen_app")
    ended = here("add", "x", "--task", "tasks.pnig", "--every", "5s")
    assert "note: --task: 'tasks.pnig' is not registered" in ended.line
    assert "did you mean tasks.ping?" in ended.line
    ended = here("add", "y", "--task", "tasks.ping", "--every", "5s", "--args", "[1]")
    assert "note: --args: do not fit tasks.ping, so every run fails" in ended.line
    assert {row["name"] for row in here.json("list")} == {"x", "y"}


def test_add_warns_of_pickle_at_once(here: Here) -> None:
    words = ("--task", "t", "--every", "5s", "--serializer", "pickle")
    assert "note: --serializer: pickle needs an app with it" in here("add", "x", *words).line


def test_add_warns_of_a_moment_that_is_past(here: Here) -> None:
    ended = here("add", "soon", "--task", "t", "--at", "2020-01-01")
    assert "note: never runs again: all of its moments are past" in ended.line


def test_add_works_without_the_code_of_the_project(here: Here, tmp_path: Path) -> None:
    here.config("app: not_on_this_host:app\n")
    ended = here("add", "x", "--task", "t", "--every", "5s")
    assert "cannot be loaded" in ended.line and "its tasks are not looked at" in ended.line
    assert ended.out.startswith("added x")


def test_an_entry_whose_next_moment_is_not_found_is_an_error_of_its_own() -> None:
    class Endless:
        period = None

        def next_after(self, moment: datetime) -> datetime | None:
            raise ScheduleError("its next moment is not found within 20000 steps of search")

        def plain(self) -> dict[str, str]:
            return {"rrule": "FREQ=DAILY"}

    entry = replace(entry_from("a", {"task": "t", "every": "10s"}), schedule=Endless())
    (problem,) = warnings_of(entry, None, datetime(2026, 3, 1, tzinfo=UTC))
    assert problem.text.startswith("will not run: its next moment") and not problem.warning


def test_a_jitter_that_is_longer_than_the_period_is_told(here: Here) -> None:
    ended = here("add", "x", "--task", "t", "--every", "1m", "--jitter", "10m")
    assert "note: --jitter: 10m is longer than the 1m between two moments" in ended.line
    here.config("entries:\n  a: {task: t, cron: '0,1 4 * * *', jitter: 2m}\n")
    assert "a.jitter: 2m is longer than the 1m between" in here("check").out
    nobody = f"beatd: {NOBODY_LEADS}\n"
    for jitter in ("1m", "59s"):
        ended = here("add", jitter, "--task", "t", "--every", "1m", "--jitter", jitter)
        assert ended.err == nobody
    assert here("add", "once", "--task", "t", "--at", "2036-01-01", "--jitter", "9h").err == nobody


def test_the_result_backend_of_a_chord_is_named_without_its_password() -> None:
    chord = entry_from("a", {"every": "1h", "chord": {"header": ["proj.a"], "body": "proj.b"}})
    one = Celery(backend="redis://:secret@localhost:6379/3", set_as_current=False)
    url = chord_backend([chord], one)
    assert url.startswith("redis://") and url.endswith("localhost:6379/3")
    assert "secret" not in url
    assert chord_backend([entry_from("b", {"every": "1h", "chain": ["proj.a"]})], one) == ""
    assert chord_backend([chord], Celery(set_as_current=False)) == ""
    assert chord_backend([chord], None) == ""


@pytest.mark.parametrize(
    ("results", "more", "warned"),
    [
        ("cache+memory://", {}, True),
        ("cache+memory://", {"on_unknown": "skip"}, False),
        ("redis://localhost:1/0", {}, False),
        ("db+sqlite://", {}, False),
    ],
)
def test_a_chord_whose_backend_counts_a_second_run_of_a_task_is_a_warning(
    results: str, more: dict[str, str], warned: bool
) -> None:
    app = Celery("sender", broker="memory://", backend=results, set_as_current=False)
    steps = {"chord": {"header": ["a", "b"], "body": "c"}}
    chord = entry_from("x", {"every": "1h", **steps, **more})
    found = [str(problem) for problem in warnings_of(chord, app, datetime.now(UTC))]
    text = (
        "chord: cache+memory:// counts how many tasks of a chord have ended, not which: a run "
        "that is sent again may fail, or call the body before all tasks have ended; use Redis or "
        "a database as the result backend, or write on_unknown: skip"
    )
    assert found == ([text] if warned else [])
    group = entry_from("x", {"every": "1h", "group": ["a", "b"]})
    assert not list(warnings_of(group, app, datetime.now(UTC)))
