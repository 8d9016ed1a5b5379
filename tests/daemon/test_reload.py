"""SIGHUP: all of the new configuration, or all of the old one."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from beatd.daemon.trial import TRIAL_LIMIT_S, TRIAL_OPTION
from tests.daemon.conftest import Start
from tests.process import BEATD, Process
from tests.stores.redis.servers import RedisProcess, until
from tests.waiting import until as wait_until

Config = Callable[..., Path]

PROJECT = """
import os
from celery import Celery

os.environ.setdefault("PROJECT_ENTRY", {name!r})
app = Celery("proj")
app.conf.beat_schedule = {{os.environ["PROJECT_ENTRY"]: {{"task": "t", "schedule": 0.2}}}}
"""


# A thread that cannot begin, as without memory: Python then waits for it for ever.
SECOND_TIMER_HANGS = """
import pathlib, threading

starts = []

def start(timer):
    starts.append(timer)
    if len(starts) > 1:
        pathlib.Path("hangs").touch()
        threading.Event().wait()
    threading.Thread.start(timer)

threading.Timer.start = start
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], None]:
    """Writes proj.py, whose app declares one entry of that name."""

    def write(name: str) -> None:
        (tmp_path / "proj.py").write_text(PROJECT.format(name=name))

    return write


def of_app(config: Config) -> str:
    return str(config(app="proj:app", entries="{}"))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    given = os.environ.get("PYTHONPATH")
    folders = os.pathsep.join((str(tmp_path), given) if given else (str(tmp_path),))
    return {"PYTHONPATH": folders, "PYTHONDONTWRITEBYTECODE": "1"}


def notes_of_reload(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "beatd.db")) as there:
        found = there.execute("SELECT count(*) FROM beatd_applied WHERE source = 'reload'")
        return int(found.fetchone()[0])


@pytest.fixture
def daemon(
    beatd: Start, config: Config, project: Callable[[str], None], env: dict[str, str]
) -> Process:
    """A daemon whose app declares the entry "old", which has run."""
    project("old")
    started = beatd("-c", of_app(config), env=env)
    started.says("published old")
    return started


def test_a_reload_imports_the_app_anew_and_keeps_the_process(
    daemon: Process, project: Callable[[str], None], tmp_path: Path
) -> None:
    project("new")
    assert not notes_of_reload(tmp_path)
    daemon.send(signal.SIGHUP)
    daemon.says("configuration reloaded")
    assert notes_of_reload(tmp_path) == 1
    begins = len(daemon.lines)
    daemon.says("published new")
    daemon.says("published new")
    assert not [line for line in daemon.lines[begins:] if "published old" in line]
    assert "stopped" not in "\n".join(daemon.lines)
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


def test_a_reload_of_an_app_that_does_not_import_changes_nothing(
    daemon: Process, project: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "proj.py").write_text("import nothing_of_this_name\n")
    daemon.send(signal.SIGHUP)
    assert "No module named 'nothing_of_this_name'" in daemon.says("the old one stays")
    daemon.says("published old")
    project("new")
    daemon.send(signal.SIGHUP)
    daemon.says("published new")


def test_a_daemon_ends_at_once_though_a_new_app_hangs_in_its_import(
    daemon: Process, project: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "proj.py").write_text(
        "import pathlib, time\npathlib.Path('hangs').touch()\ntime.sleep(1000)\n"
    )
    daemon.send(signal.SIGHUP)
    wait_until((tmp_path / "hangs").exists, 20, "the new app is not imported")
    daemon.says("published old")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


def test_a_daemon_ends_though_a_thread_of_the_new_service_never_begins(
    beatd: Start, config: Config, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SECOND_TIMER_HANGS)
    daemon = beatd("-c", str(config()), env=env)
    daemon.says("published")
    daemon.send(signal.SIGHUP)
    wait_until((tmp_path / "hangs").exists, 20, "the new service is not made")
    daemon.says("published")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
    assert "no longer leading: resigned" in "\n".join(daemon.lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("when", ["at its start", "when it starts again"])
def test_a_daemon_ends_at_once_while_it_hangs_in_the_import_of_its_app(
    beatd: Start,
    config: Config,
    project: Callable[[str], None],
    env: dict[str, str],
    tmp_path: Path,
    number: signal.Signals,
    when: str,
) -> None:
    hangs = (
        "import pathlib, sys, time\n"
        "if '--trial' not in sys.argv:\n"
        "    pathlib.Path('hangs').touch()\n"
        "    time.sleep(1000)\n"
    )
    project("old")
    app = (tmp_path / "proj.py").read_text()
    if when == "at its start":
        (tmp_path / "proj.py").write_text(hangs)
        daemon = beatd("-c", of_app(config), env=env)
    else:
        daemon = beatd("-c", of_app(config), env=env)
        daemon.says("published old")
        (tmp_path / "proj.py").write_text(hangs + app)
        daemon.send(signal.SIGHUP)
    wait_until((tmp_path / "hangs").exists, 60, "the app is not imported")
    daemon.send(number)
    assert daemon.ends(20.0) == 0


def test_a_daemon_whose_stdout_is_closed_reloads(
    config: Config, project: Callable[[str], None], env: dict[str, str], tmp_path: Path
) -> None:
    project("old")
    log = tmp_path / "log"
    command = f"exec {BEATD} -c {of_app(config)} 2>{log} >&-"
    with subprocess.Popen(["sh", "-c", command], cwd=tmp_path, env={**os.environ, **env}) as daemon:
        try:
            wait_until(lambda: log.exists() and "published old" in log.read_text(), 60, "no run")
            project("new")
            daemon.send_signal(signal.SIGHUP)
            wait_until(lambda: "published new" in log.read_text(), 60, "it does not go on")
            assert daemon.poll() is None
        finally:
            daemon.kill()


def test_a_reload_to_a_store_that_says_no_changes_nothing(
    beatd: Start, config: Config, tmp_path: Path
) -> None:
    daemon = beatd("-c", str(config()))
    daemon.says("published tick")
    (tmp_path / "other.db").write_text("this is not a database " * 100)
    config(store="{url: 'sqlite:///other.db'}")
    daemon.send(signal.SIGHUP)
    assert "other.db" in daemon.says("the old one stays")
    daemon.says("published tick")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[RedisProcess, RedisProcess]]:
    with (
        closing(RedisProcess(tmp_path / "one")) as one,
        closing(RedisProcess(tmp_path / "two")) as two,
    ):
        yield one, two


def test_a_reload_while_its_redis_is_a_replica_changes_nothing(
    beatd: Start, config: Config, servers: tuple[RedisProcess, RedisProcess]
) -> None:
    one, two = servers
    daemon = beatd("-c", str(config(store=f"{{url: '{one.url}'}}")))
    daemon.says("published tick")
    one.admin.replicaof("127.0.0.1", two.port)
    until(lambda: one.admin.info("replication")["master_link_status"] == "up")
    daemon.send(signal.SIGHUP)
    assert "replica" in daemon.says("the old one stays")
    one.admin.replicaof("NO", "ONE")
    daemon.says("published tick")


def test_a_store_that_says_no_after_the_change_over_is_waited_for(
    beatd: Start, config: Config, project: Callable[[str], None], env: dict[str, str]
) -> None:
    """The store said yes when it was tried, a moment ago."""
    project("old")
    path = of_app(config)
    (Path(path).parent / "beatd.db").write_text("this is not a database " * 100)
    daemon = beatd("-c", path, env={**env, "BEATD_RELOADED": "1"})
    daemon.says("waiting for the store")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


# the process that tries a new configuration

TRIED = """
import signal
from pathlib import Path
from celery import Celery
app = Celery("x", broker="memory://")
Path("left").write_text(str(signal.getitimer(signal.ITIMER_REAL)[0]))
"""


def test_a_trial_ends_by_itself_where_its_daemon_was_killed(tmp_path: Path) -> None:
    (tmp_path / "project.py").write_text(TRIED)
    config = tmp_path / "config.yaml"
    config.write_text("app: project:app\nstore: {url: 'memory:'}\n")
    words = [sys.executable, "-m", "beatd", "run", "-c", str(config), TRIAL_OPTION]
    subprocess.run(words, cwd=tmp_path, check=True, timeout=60)
    assert 0 < float((tmp_path / "left").read_text()) <= TRIAL_LIMIT_S + 5
