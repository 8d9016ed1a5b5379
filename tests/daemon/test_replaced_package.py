"""A package that is replaced or deleted under a running daemon ends nothing."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import celery
import pytest
import pytz

from tests.cable import Cable
from tests.process import BEATD, Process

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cable(server: Callable[[str], tuple[str, int]]) -> Iterator[Cable]:
    cable = Cable(*server("redis"))
    yield cable
    cable.pull_out()


NEW = ("add", "new", "--task", "proj.new", "--cron", "* * * * * *", "--tz", "Asia/Tokyo")
OTHER = ("add", "other", "--task", "proj.other", "--every", "1h")
EMBEDDED = """
import logging, signal
from beatd import Beat
logging.basicConfig(level=logging.DEBUG)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with Beat("config.yaml"):
    signal.sigwait([signal.SIGTERM])
"""
PROJECT = """
from celery import Celery
app = Celery("proj", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"
}
app.conf.beatd_store_url = "sqlite:///beatd.db"
"""
CELERY = Path(sys.executable).parent / "celery"
SHORT = ("daemon", "celery")
WAYS = {
    "daemon": (BEATD, "-c", "config.yaml"),
    "shadow": (BEATD, "run", "--shadow", "-c", "config.yaml"),
    "embedded": (Path(sys.executable), "-c", EMBEDDED),
    "celery": (CELERY, "-A", "proj", "beat", "-S", "beatd", "-l", "debug"),
}


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, marks=[] if way in SHORT else pytest.mark.long) for way in WAYS],
)
def test_a_run_in_a_new_zone_needs_no_file_of_a_package(
    config: Callable[..., Path], tmp_path: Path, way: str
) -> None:
    """The first message and the first zone of a daemon come when pytz and celery are gone."""
    packages = tmp_path / "lib"
    for module in (celery, pytz):
        folder = Path(module.__file__).parent
        shutil.copytree(folder, packages / folder.name)
    path = config(entries="{}", log="{level: debug}")
    (tmp_path / "proj.py").write_text(PROJECT)
    subprocess.run([BEATD, *OTHER, "-c", path], cwd=tmp_path, check=True)
    program, *arguments = WAYS[way]
    daemon = Process(
        *arguments, cwd=tmp_path, env={"PYTHONPATH": f"{packages}:{tmp_path}"}, program=program
    )
    try:
        daemon.says("the packages have been read")
        shutil.rmtree(packages)
        subprocess.run([BEATD, *NEW, "-c", path], cwd=tmp_path, check=True)
        if way != "shadow":  # which sends nothing, and logs no run
            daemon.says("published new")
        daemon.send(signal.SIGTERM)
        assert daemon.ends() == 0
        assert "Traceback" not in "\n".join(daemon.lines)
    finally:
        daemon.close()


def test_it_goes_on_without_its_package(
    config: Callable[..., Path], cable: Cable, tmp_path: Path
) -> None:
    """The store comes when the package is gone; then an edit, an outage and signals happen."""
    package = tmp_path / "lib" / "beatd"
    shutil.copytree(ROOT / "beatd", package)
    url = f"redis://127.0.0.1:{cable.port}/0"
    more = tmp_path / "more.yaml"
    more.write_text("entries: {other: {task: t, every: 1h}}\n")
    path = config(
        store=f"{{url: '{url}', prefix: '{uuid4().hex}:'}}",
        broker=f"{{url: '{url}'}}",
        defaults="{options: {queue: upgrade, expires: 1}}",
        schedules="[more.yaml]",
    )
    cable.pull_out()
    daemon = Process(
        *("-m", "beatd", "-c", str(path)),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        program=Path(sys.executable),
    )
    try:
        daemon.says("waiting for the store")
        shutil.rmtree(package)
        package.mkdir()
        (package / "__init__.py").write_text("raise ImportError('half installed')\n")
        cable.plug_in()
        daemon.says("published tick")
        more.write_text(
            "entries: {new: {task: t, rrule: 'FREQ=SECONDLY'}, "
            "sun: {task: t, solar: {event: sunset, lat: 52, lon: 13}}}\n"
        )
        daemon.says("published new")
        cable.pull_out()
        daemon.says("waiting for the store")
        daemon.send(signal.SIGUSR1)
        daemon.says("state: ")
        cable.plug_in()
        daemon.says("published new")
        daemon.send(signal.SIGHUP)
        assert "half installed" in daemon.says("not reloaded, the old one stays: ")
        daemon.says("published new")
        daemon.send(signal.SIGTERM)
        assert daemon.ends() == 0
        assert "Traceback" not in "\n".join(daemon.lines)
    finally:
        daemon.close()
