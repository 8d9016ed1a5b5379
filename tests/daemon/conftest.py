"""Real daemons as processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process import Process

Start = Callable[..., Process]


@pytest.fixture
def beatd(tmp_path: Path) -> Iterator[Start]:
    """Starts daemons in a folder of the test's own; none outlives it."""
    started: list[Process] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Process:
        started.append(Process(*arguments, cwd=tmp_path, env=env))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes config.yaml: an embedded store and broker, and what the test adds or replaces."""
    (tmp_path / "queue").mkdir()

    def write(**sections: str) -> Path:
        wanted = {
            "store": "{url: 'sqlite:///beatd.db'}",
            "broker": "{url: 'filesystem://', transport_options: "
            "{data_folder_in: queue, data_folder_out: queue, control_folder: control}}",
            "entries": "{tick: {task: t, every: 0.2}}",
            **sections,
        }
        path = tmp_path / "config.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in wanted.items()))
        return path

    return write
