"""A configuration with a SQLite store, for commands to work on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.store import Store
from beatd.wiring.backends import open_store
from tests.cli.conftest import Beatd, Ended

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

    def __call__(self, *words: object, code: int = 0) -> Ended:
        ended = self._beatd("-c", self.folder / "config.yaml", *words)
        assert ended.code == code, (ended.code, ended.out, ended.err)
        return ended

    def json(self, *words: object, code: int = 0) -> Any:
        return self(*words, "--json", code=code).json

    def store(self) -> Store:
        url = f"sqlite:///{self.folder}/beatd.db"
        return open_store(url, codec=codec, clock=SystemClock())


Make = Callable[[], Here]


@pytest.fixture
def here(tmp_path: Path, beatd: Beatd, monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, beatd)
