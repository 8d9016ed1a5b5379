"""The web server that a configuration describes."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beatd.config import load_config
from beatd.daemon.status import status_of
from beatd.observers.metrics import Metrics
from beatd.wiring.build import daemon_of
from beatd.wiring.web import SWITCH_INTERVAL_S, Web, site_of
from tests.daemon.test_service import free_port, get

Write = Callable[[str, str], Path]
Opened = Callable[[str], Web]


@pytest.fixture(autouse=True)
def switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def opened(write: Write) -> Iterator[Opened]:
    made: list[Web] = []

    def open_web(http: str) -> Web:
        path = write("c.yaml", f"broker: memory://\nstore: 'memory:'\nhttp: {{{http}}}\n")
        config = load_config(path).config
        assert config.http is not None
        daemon = daemon_of(config)
        web = Web(config, config.http, Metrics())
        web.open(daemon, lambda: status_of(daemon))
        made.append(web)
        return web

    yield open_web
    for one in made:
        one.close()


def test_beyond_loopback_without_tls_it_warns_once(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "beatd"):
        opened(f"bind: '0.0.0.0:{free_port()}'")
        opened(f"bind: '127.0.0.1:{free_port()}'")
    (line,) = [record.getMessage() for record in caplog.records]
    assert "without TLS" in line


def test_a_page_that_is_made_gives_way_to_the_beat_early(opened: Opened) -> None:
    sys.setswitchinterval(0.005)
    opened(f"bind: '127.0.0.1:{free_port()}'")
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)


def test_beyond_loopback_without_tokens_nobody_reads(opened: Opened) -> None:
    port = free_port()
    opened(f"bind: '0.0.0.0:{port}'")
    assert get(port, "/status")[0] == 401
    assert get(port, "/metrics")[0] == 200


def test_a_store_in_memory_is_the_daemons_own(write: Write) -> None:
    path = write("c.yaml", "broker: memory://\nstore: 'memory:'\nhttp: {bind: '127.0.0.1:1'}\n")
    daemon = daemon_of(load_config(path).config)
    site = site_of(load_config(path).config, daemon, dict, Metrics())
    with daemon:
        assert site.open_store() is daemon.store
        site.close()
        assert daemon.store is not None and daemon.store.place.problems() == []


def test_another_store_is_opened_a_second_time(config: Callable[..., Path]) -> None:
    read = load_config(config(http="{bind: '127.0.0.1:1'}")).config
    daemon = daemon_of(read)
    site = site_of(read, daemon, dict, Metrics())
    with daemon:
        assert site.open_store() is not daemon.store
        site.close()


def test_without_http_its_libraries_are_not_imported(config: Callable[..., Path]) -> None:
    """They take a third of a second and 20 MiB."""
    code = (
        "import sys; from beatd.config import load_config\n"
        "from beatd.observers.systemd import SystemdObserver\n"
        "from beatd.wiring.daemon_service import DaemonService\n"
        f"DaemonService(load_config({str(config())!r}).config, SystemdObserver())\n"
        "print({'starlette', 'uvicorn', 'jinja2', 'anyio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
