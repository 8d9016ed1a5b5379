"""A process without descriptors left: what cannot be opened is away, and nothing ends."""

import re
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cable import Cable
from tests.daemon.conftest import SOME_PLACES, Start
from tests.daemon.test_service import free_port, get
from tests.process import PATIENCE, Process
from tests.waiting import until

Config = Callable[..., Path]
SERVER = re.compile(r"(127\.0\.0\.1|localhost):(\d+)")


class Cables:
    """Leads every server that a text names through a cable."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str], Cable] = {}

    def through(self, text: str) -> str:
        return SERVER.sub(self._cable, text)

    def _cable(self, found: re.Match[str]) -> str:
        key = found[1], found[2]
        if key not in self.all:
            self.all[key] = Cable(found[1], int(found[2]))
        return f"127.0.0.1:{self.all[key].port}"

    def pull_out(self) -> None:
        for cable in self.all.values():
            cable.pull_out()

    def cut_once(self) -> None:
        for cable in self.all.values():
            cable.pull_out()
            cable.plug_in()


@pytest.fixture
def cables() -> Iterator[Cables]:
    cables = Cables()
    yield cables
    cables.pull_out()


class Descriptors:
    """How many descriptors a process may have."""

    def __init__(self, process: Process) -> None:
        self._pid = process.process.pid
        self._before = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)

    def take_away(self) -> None:
        """The open ones stay, but none can be added."""
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (3, self._before[1]))

    def give_back(self) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, self._before)


@pytest.mark.parametrize("places", SOME_PLACES, indirect=True)
def test_a_daemon_goes_on_when_there_are_descriptors_again(
    beatd: Start,
    config: Config,
    places: dict[str, str],
    cables: Cables,
    tmp_path: Path,
) -> None:
    port = free_port()
    http = f"{{bind: '127.0.0.1:{port}'}}"
    (tmp_path / "more.yaml").write_text("entries: {other: {task: t, every: 1h}}\n")
    path = config(
        **{key: cables.through(text) for key, text in places.items()},
        http=http,
        schedules="[more.yaml]",
    )
    daemon = beatd("-c", str(path))
    daemon.says("published tick")
    descriptors = Descriptors(daemon)
    descriptors.take_away()
    cables.cut_once()
    with socket.create_connection(("127.0.0.1", port)) as client:
        daemon.says("cannot accept a connection: Too many open files")
        daemon.send(signal.SIGUSR1)
        daemon.send(signal.SIGHUP)
        daemon.says("configuration not reloaded, the old one stays: ")
        (tmp_path / "more.yaml").write_text("entries: {new: {task: t, every: 0.3}}\n")
        daemon.send(signal.SIGUSR1)
        daemon.says("state: ")
        assert daemon.process.poll() is None
        descriptors.give_back()
        daemon.says("connections are accepted again")
        client.close()
    daemon.says("published new")
    with suppress(OSError):
        until(lambda: get(port, "/ready")[0] == 200, PATIENCE, "it is ready")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
    said = "\n".join(daemon.lines)
    assert "Traceback" not in said
    assert said.count("cannot accept a connection") == 1
