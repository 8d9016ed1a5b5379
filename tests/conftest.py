"""Private servers and files for every test, and how patiently hypothesis tries examples."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import needs
from tests.publishers.servers import free_port, listens
from tests.stores.redis.servers import Start, starting
from tests.waiting import until

# How fast a busy machine makes examples says nothing about beatd.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure() -> None:
    """Told to end, pytest first ends the servers and daemons that its tests have started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def server() -> Callable[[str], tuple[str, int]]:
    """The address of a private server by name; tests/run/servers.py has started it."""

    def find(name: str) -> tuple[str, int]:
        port = os.environ.get(f"BEATD_TEST_{name.upper()}_PORT")
        return ("127.0.0.1", int(port)) if port else needs.lacking(name)

    return find


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file below the test's folder, and return its path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Write config.yaml: an embedded store and broker, and what the test adds or replaces."""
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


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start private Redis servers, which end with the test."""
    yield from starting(tmp_path)


@pytest.fixture(scope="session")
def sqs() -> Iterator[str]:
    """The URL of a private SQS, which is moto's server."""
    pytest.importorskip("moto")
    pytest.importorskip("pycurl")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: listens(port), 60, "moto's server does not start")
    yield f"sqs://key:secret@127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for 127.0.0.1 and its key, as paths."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", cert, "-days", "3650", "-subj", "/CN=beat",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(cert), str(key)
