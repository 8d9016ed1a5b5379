"""Result backend, alerts and the port: a connection is tried, nothing is sent."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from beatd.config import Config, Http
from beatd.config.values import Alerts, Outcomes
from beatd.doctor.http_port import http_findings
from beatd.doctor.receivers import channel_findings, result_findings
from beatd.publishers.celery_app import app_for


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def test_a_webhook_that_listens_and_one_that_does_not(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    to = (f"http://127.0.0.1:{port}/secret-path-1", "http://127.0.0.1:1/x", "mailto://a:b@c.d")
    config = Config(alerts=Alerts(to=to, heartbeat=f"http://127.0.0.1:{port}/beat"))
    well, away, apprise, beat = channel_findings(config, 2.0)
    assert well.text.endswith(f"127.0.0.1:{port} accepts connections; nothing was sent")
    assert "secret-path" not in well.text
    assert (away.level, away.text.split(": ", 1)[1]) == (
        "error",
        "no connection to 127.0.0.1:1: Connection refused",
    )
    assert apprise.text.endswith("`beatd alerts test` tries it with a message")
    assert (beat.level, beat.text[:15]) == ("ok", "the heartbeat: ")
    connection, _ = listening.accept()
    with closing(connection):
        assert connection.recv(1) == b""


def test_the_result_backend() -> None:
    app = app_for({"url": "memory://"})
    asked = Config(outcomes=Outcomes(read_from="results"))
    assert list(result_findings(Config(), app)) == []
    (none,) = result_findings(asked, app)
    assert (none.level, "has no result backend" in none.text) == ("error", True)
    app.conf.result_backend = "cache+memory://"
    assert [one.level for one in result_findings(asked, app)] == ["ok"]


def test_a_port_that_is_free_and_one_that_another_program_has(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    (taken,) = http_findings(Http(host="127.0.0.1", port=port), 0.05)
    assert taken.level == "error"
    listening.close()
    (free,) = http_findings(Http(host="127.0.0.1", port=port), 1.0)
    assert free.text == f"127.0.0.1:{port} is free"
    assert list(http_findings(None, 1.0)) == []
