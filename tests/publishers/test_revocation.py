"""Runs are revoked through celery's own remote control, where the broker has one."""

from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from celery import Celery
from kombu import Connection

from beatd.publishers.celery import CeleryPublisher


def publisher_of(url: str, timeout: float = 2.0) -> CeleryPublisher:
    return CeleryPublisher(app=Celery("proj", broker=url, set_as_current=False), timeout=timeout)


@pytest.mark.parametrize("kind", ["redis_url", "rabbit_url"])
def test_every_worker_is_let_to_terminate_the_runs(
    kind: str, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue(kind)
    app, heard = Celery("worker", broker=url, set_as_current=False), list[dict[str, Any]]()

    def revoke(state: Any, **arguments: Any) -> None:
        heard.append(arguments)

    publisher = publisher_of(url)
    with Connection(url) as connection:
        node = app.control.mailbox.Node(
            "probe", channel=connection.default_channel, handlers={"revoke": revoke}
        )
        with node.listen():
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.05)  # on Redis it subscribes only now
            publisher.revoke(["one", "two"])
            while not heard:
                connection.drain_events(timeout=10)
    publisher.close()
    assert heard[0]["task_id"] == ["one", "two"] and heard[0]["terminate"] is True


def test_a_broker_without_remote_control_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = publisher_of(f"sqla+sqlite:///{tmp_path}/broker.db")
    publisher.revoke(["one"])
    publisher.revoke(["two"])
    publisher.close()
    assert [line for line in caplog.messages if "no remote control" in line] == caplog.messages
    assert len(caplog.messages) == 1


def test_a_broker_that_is_away_raises_nothing_and_holds_up_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publisher, began = publisher_of("redis://127.0.0.1:1/0", timeout=0.5), monotonic()
    publisher.revoke(["one"])
    publisher.close()
    assert monotonic() - began < 3
    assert caplog.messages[0].startswith("the run one could not be revoked: ")
