"""Commands run in this process, as a shell would run them, on a SQLite store."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec import Struct, json

from beatd.catalog import Query
from beatd.cli import main
from beatd.cli.leader_note import NOBODY_LEADS, NOTHING_RUNS
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.store import Store
from beatd.wiring.backends import IfAbsent, open_store


class Ended(Struct, frozen=True):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.decode(self.out)

    @property
    def told(self) -> str:
        """Its errors, without the note that nobody leads."""
        told = self.err
        for note in (NOBODY_LEADS, NOTHING_RUNS):
            told = told.replace(f"beatd: {note}\n", "")
        return told

    @property
    def line(self) -> str:
        """What it complained of, besides that nobody leads: one line, and no traceback."""
        told = self.told
        assert told.endswith("\n") and told.count("\n") == 1, told
        assert "Traceback" not in told
        return told.rstrip("\n")


Beatd = Callable[..., Ended]


@pytest.fixture
def beatd(monkeypatch: pytest.MonkeyPatch) -> Beatd:
    """beatd(*words) ends with a code, its output and its errors."""
    monkeypatch.delenv("BEATD_CONFIG", raising=False)

    def run(*words: object, input: str | None = None) -> Ended:
        result = CliRunner().invoke(
            main, [str(word) for word in words], input=input, prog_name="beatd"
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


CONFIG = """
broker: {url: "memory://"}
store: {url: "sqlite:///beatd.db"}
timezone: Europe/Berlin
"""


class Here:
    """beatd -c config.yaml, and the store behind it."""

    def __init__(self, folder: Path, beatd: Beatd) -> None:
        self.folder, self._beatd = folder, beatd
        self.config("")

    def config(self, more: str) -> Path:
        return self.file("config.yaml", CONFIG + more)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def __call__(self, *words: object, code: int = 0, input: str | None = None) -> Ended:
        ended = self._beatd("-c", self.folder / "config.yaml", *words, input=input)
        assert ended.code == code, (ended.code, ended.out, ended.err)
        return ended

    def json(self, *words: object, code: int = 0) -> Any:
        return self(*words, "--json", code=code).json

    def store(self, if_absent: IfAbsent = "create") -> Store:
        url = f"sqlite:///{self.folder}/beatd.db"
        return open_store(url, codec=codec, clock=SystemClock(), if_absent=if_absent)

    def names(self) -> list[str]:
        """The names of all entries; none if there is no store."""
        with closing(self.store("empty")) as store:
            return [row.entry.name for row in store.find(Query())]


@pytest.fixture
def here(tmp_path: Path, beatd: Beatd, monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, beatd)


@pytest.fixture
def x(here: Here) -> Here:
    """The store has an entry x, which runs every hour."""
    here("add", "x", "--task", "t", "--every", "1h")
    return here
