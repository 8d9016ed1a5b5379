"""`beatd store copy FROM TO`."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.wiring.backends import open_store
from tests.cli.conftest import Beatd, Here

FILE = """
entries:
  tidy: {task: proj.tidy, every: 1h}
  report: {task: proj.report, cron: "0 6 * * *"}
"""


@pytest.fixture
def old(here: Here) -> str:
    """The URL of a store with a paused entry of a file, and one added by hand."""
    here.file("entries.yaml", FILE)
    here("apply", "entries.yaml", "--name", "team")
    here("add", "mine", "--task", "proj.mine", "--every", "5m")
    here("pause", "tidy")
    here("trigger", "report")
    return f"sqlite:///{here.folder}/beatd.db"


def copied(here: Here, kind: str = "shelve:") -> str:
    return f"{kind}{here.folder}/new"


def test_a_copy_keeps_pauses_owners_and_requests(beatd: Beatd, here: Here, old: str) -> None:
    new = copied(here)
    ended = beatd("store", "copy", old, new)
    assert ended.code == 0, ended.err
    lines = {line.split()[0]: line.split()[-2:] for line in ended.out.splitlines()[2:]}
    assert lines["entries"] == ["3", "3"] and lines["requests"] == ["1", "1"]
    assert f"copied; start daemons on TO ({new})" in ended.err
    before, after = (beatd("list", "--json", "--store", url).json for url in (old, new))
    assert isinstance(before, list) and isinstance(after, list)
    assert {(one["name"], one["source"], one["paused"]) for one in after} == {
        ("tidy", "yaml:team", True),
        ("report", "yaml:team", False),
        ("mine", "cli", False),
    }
    assert [one | {"revision": 0} for one in before] == [one | {"revision": 0} for one in after]


def test_a_copy_into_the_store_of_a_configuration_is_told_as_json(
    beatd: Beatd, here: Here, old: str
) -> None:
    here.file("new/config.yaml", "broker: {url: 'memory://'}\nstore: {url: 'sqlite:///b.db'}\n")
    for resumed in (False, True):
        ended = beatd("store", "copy", "config.yaml", "new/config.yaml", "--json")
        assert ended.code == 0, ended.err
        told = ended.json
        assert isinstance(told, dict)
        assert told["counts"]["entries"] == {"from": 3, "to": 3}
        assert (told["whole"], told["resumed"]) == (True, resumed)
    assert (here.folder / "new/b.db").exists()


def test_a_copy_that_lacks_something_ends_with_1(beatd: Beatd, here: Here, old: str) -> None:
    new = copied(here)
    beatd("store", "copy", old, new)
    assert beatd("remove", "mine", "--store", new).code == 0
    ended = beatd("store", "copy", old, new)
    assert ended.code == 1 and "TO does not hold the same as FROM" in ended.err


REFUSED = [
    ("sqlite:///nosuch.db", "shelve:new", 2, "FROM: there is no file "),
    ("shelve:nosuch", "sqlite:///new.db", 2, "FROM: there is no file "),
    ("memory:", "shelve:new", 2, "FROM: a memory: store lives within its daemon"),
    ("config.yaml", "oracle://db/x", 2, "TO: oracle: is not a store that beatd knows"),
    ("config.yaml", "nosuch.yaml", 2, "TO: nosuch.yaml: there is no such configuration; is the"),
    ("nosuch.db", "shelve:new", 2, "FROM: nosuch.db: there is no such configuration; did you mean"),
    ("beatd.db", "shelve:new", 2, "FROM: beatd.db: is a file, and a store is named by a URL; did"),
    ("config.yaml", "beatd.db", 2, "did you mean sqlite:///beatd.db?"),
    ("config.yaml", "django-celery-beat+sqlite:///d.db", 2, "TO: the entries of this store"),
    ("config.yaml", "config.yaml", 2, "FROM and TO are the same store"),
    ("config.yaml", "sqlite:///other.db", 1, "TO is not empty, and no copy of FROM"),
]


def test_a_copy_that_cannot_be_made_is_refused_in_a_line(
    beatd: Beatd, here: Here, old: str
) -> None:
    other = "sqlite:///other.db"
    beatd("add", "other", "--task", "proj.other", "--every", "5m", "--store", other)
    for source, target, code, why in REFUSED:
        ended = beatd("store", "copy", source, target)
        assert (ended.code, why in ended.line) == (code, True), ended.err
    assert not Path("nosuch.db").exists() and not Path("new").exists()


def test_on_a_terminal_a_bar_shows_the_progress(here: Here, old: str) -> None:
    master, terminal = pty.openpty()
    program = (
        "import sys\n"
        "from beatd.cli import main, progress\n"
        "progress.BAR_AFTER_S = 0.0\n"
        "main(sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", program, "store", "copy", old, copied(here)]
    environment = {**os.environ, "TERM": "xterm"}
    ended = subprocess.run(
        words, stderr=terminal, stdout=subprocess.PIPE, env=environment, check=False
    )
    os.close(terminal)
    shown = os.read(master, 100_000).decode()
    os.close(master)
    assert ended.returncode == 0 and "3/3" in shown and "entries" in shown
    store = open_store(copied(here), codec=codec, clock=SystemClock())
    assert store.count() == 3
    store.close()


def test_the_page_about_moving_shows_each_line_that_the_command_prints(
    beatd: Beatd, here: Here, old: str
) -> None:
    page = (Path(__file__).parents[2] / "docs/moving.md").read_text().splitlines()
    shown = {line.strip().split("  ")[0].split(":")[0] for line in page}
    ended = beatd("store", "copy", old, copied(here))
    _, _, *rows = ended.out.splitlines()
    parts = [line for line in ended.err.splitlines() if " of " in line]
    assert rows and parts
    printed = {line.split("  ")[0] for line in rows} | {line.split(":")[0] for line in parts}
    assert printed <= shown, printed - shown
