"""The commands of README.md and of docs/getting-started.md run as they are written."""

import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Beatd, Ended
from tests.docs.blocks import ROOT, Block, blocks_of, commands, page
from tests.process import Process

README = ROOT / "README.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: The brokers of the pages need a server; this one is files.
FILES = """broker:
  url: "filesystem://"
  transport_options:
    {data_folder_in: queue, data_folder_out: queue, control_folder: control}
"""
Run = Callable[[list[str]], Ended]


def block_with(path: Path, text: str) -> Block:
    """Return the only block of a page that has this text."""
    (found,) = (block for block in blocks_of(path) if text in block.text)
    return found


@pytest.fixture
def run(beatd: Beatd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of a page in the test's folder; a daemon ends as soon as it leads."""
    monkeypatch.chdir(tmp_path)

    def run(words: list[str]) -> Ended:
        arguments = words[1:]
        if arguments[0] != "-c":
            return beatd(*arguments)
        daemon = Process(*arguments, cwd=tmp_path)
        try:
            daemon.says("leading, term")
            daemon.says("the store has")
            daemon.process.terminate()
            return Ended(daemon.ends(), "\n".join(daemon.lines), "")
        finally:
            daemon.close()

    return run


def with_files_as_broker(config: str) -> str:
    """Return a configuration of a page without its servers."""
    config = re.sub(r"^broker: .*\n", FILES, config, flags=re.MULTILINE)
    config = re.sub(r"^http: .*\n", "", config, flags=re.MULTILINE)
    return re.sub(r"^store: .*\n", 'store: {url: "sqlite:///a.db"}\n', config, flags=re.MULTILINE)


def test_the_minute_of_the_readme(run: Run, tmp_path: Path) -> None:
    shutil.copy(ROOT / "config.example.yaml", tmp_path)
    shutil.copytree(ROOT / "schedules", tmp_path / "schedules")
    minute = block_with(README, ".venv/bin/beatd add hello")
    words = commands(minute)
    assert len(words) == 5
    ended = [run(one) for one in words]
    assert [one.code for one in ended] == [0, 0, 0, 0, 0]
    printed = [line for line in ended[-1].out.splitlines() if "2027-03" in line]
    written = [line for line in minute.text.splitlines() if line.startswith(("Sat", "Sun", "Mon"))]
    # How far ahead a moment is changes with each day.
    without = re.compile(r"in [\dy d h min]+ *")
    assert [without.sub("", one).split() for one in printed] == [
        without.sub("", one).split() for one in written
    ]


def test_the_commands_of_production(run: Run, tmp_path: Path) -> None:
    config = block_with(README, "# config.yaml").text
    (tmp_path / "config.yaml").write_text(with_files_as_broker(config))
    words = commands(block_with(README, "beatd check -c config.yaml"))
    assert [run(one).code for one in words] == [0, 0, 0]


def test_the_commands_of_the_first_ten_minutes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = page("getting-started.md")
    monkeypatch.setenv("CELERY_BROKER_URL", "memory://")
    init = block_with(start, "beatd init")
    for one in commands(init):
        ended = run(one)
        assert ended.code == 0, (one, ended)
    config = block_with(start, "say-hello:").text
    (tmp_path / "config.yaml").write_text(with_files_as_broker(config))
    words = [one for block in blocks_of(start) if block.language == "console"
             if block != init for one in commands(block)]  # fmt: skip
    assert len(words) == 10
    for one in words:
        ended = run(one)
        assert ended.code == 0, (one, ended)


def test_the_readme_is_short_and_what_it_installs_is_there() -> None:
    text = README.read_text()
    assert len(text.splitlines()) <= 120
    assert text.index("$ make run") < text.index("`make test`") < text.index("## In production")
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^\$ |`)make ([a-z]+)", text, re.MULTILINE):
        assert f"\n{target}:" in makefile
    for line in re.findall(r"^\$ (pip install .*)", text, re.MULTILINE):
        (what,) = shlex.split(line, comments=True)[2:]
        extras = re.findall(r"\[([\w,]+)\]", what)[0].split(",")
        assert set(extras) <= PROJECT["optional-dependencies"].keys()
