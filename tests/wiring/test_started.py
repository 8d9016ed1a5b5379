"""What a daemon says of itself when it starts."""

from pathlib import Path

import pytest
from celery import Celery
from msgspec import json
from msgspec.structs import replace

from beatd import __version__
from beatd.config import load_config, without_file
from beatd.config.values import Broker, Http, Lock, Store
from beatd.wiring.started import started_of


def test_a_start_names_the_file_and_every_part_without_a_password(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "broker: 'redis://u:brokerpw1@mq/0;redis://:brokerpw2@mq2/0'\n"
        "store: 'mysql://u:storepw1@db/beatd'\nlock: 'redis://:lockpw1@r/1'\n"
        "app: proj\nhttp: {bind: '[::1]:9753'}\n"
    )
    config = load_config(tmp_path / "c.yaml").config
    event = started_of(config, Celery(broker=config.broker.url, set_as_current=False), "web1:12")
    assert (event.name, event.version, event.app) == ("web1:12", __version__, "proj")
    assert event.config == f"{tmp_path}/c.yaml"
    assert event.broker == "redis://u:***@mq/0;redis://:***@mq2/0"
    assert event.store == "mysql://u:***@db/beatd"
    assert event.lock == "redis://:***@r/1"
    assert event.http == "[::1]:9753"
    assert json.encode(event)  # a line of the log in JSON holds all of it


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (["redis://:listpw1@a", "redis://:listpw2@b"], "redis://:***@a;redis://:***@b"),
        (None, "amqp://guest:***@localhost:5672//"),
    ],
)
def test_a_start_names_the_broker_of_an_app(url: object, shown: str) -> None:
    app = Celery(set_as_current=False)
    app.conf.broker_url = url
    event = started_of(without_file("proj"), app, "web1:12")
    assert (event.config, event.app, event.broker, event.http) == (None, "proj", shown, None)


def test_a_lock_in_the_store_has_the_url_of_the_store() -> None:
    shared = replace(
        without_file("proj"),
        broker=Broker(url="memory://"), store=Store(url="redis://r"), lock=Lock(),
        http=Http(host="127.0.0.1", port=9753),
    )  # fmt: skip
    event = started_of(shared, Celery(broker="memory://", set_as_current=False), "web1:12")
    assert (event.lock, event.http) == (event.store, "127.0.0.1:9753")
