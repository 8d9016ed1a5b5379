"""Commands run in this process, as a shell would run them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import Struct, json

from beatd.cli import main


class Ended(Struct, frozen=True):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.decode(self.out)

    @property
    def line(self) -> str:
        """What it complained of: one line, and no traceback."""
        assert self.err.endswith("\n") and self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.rstrip("\n")


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


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """A file below the test's folder."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write
