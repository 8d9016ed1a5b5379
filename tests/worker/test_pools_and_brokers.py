"""Workers of every pool report, on every kind of broker."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beatd.report import QUEUE
from tests.publishers.brokers import unique
from tests.waiting import until
from tests.worker.world import World, facts, states

Server = Callable[[str], tuple[str, int]]
RAN = ["received", "started"]

PLACES = [("threads", "rabbitmq"), ("solo", "filesystem")]
GREEN_PLACES = [("gevent", "redis"), ("eventlet", "redis")]
everywhere = pytest.mark.parametrize(
    "world", PLACES + GREEN_PLACES, indirect=True, ids="-".join, scope="module"
)
in_greenlets = pytest.mark.parametrize(
    "world", GREEN_PLACES, indirect=True, ids="-".join, scope="module"
)


def broker_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    if kind == "redis":
        return {"url": request.getfixturevalue("redis_broker")}
    if kind == "rabbitmq":
        host, port = request.getfixturevalue("server")("rabbitmq")
        return {"url": f"amqp://guest:guest@{host}:{port}//"}
    for name in ("queue", "control"):
        (folder / name).mkdir()
    paths = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
    options = {name: str(folder / path) for name, path in paths.items()}
    return {"url": "filesystem://", "transport_options": {**options, "polling_interval": 0.05}}


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    pool, kind = request.param
    folder = tmp_path_factory.mktemp(pool)
    broker = broker_of(kind, request, folder)
    # On a broker that no other test uses, the option alone installs the reports.
    only = {"reports": QUEUE} if kind == "filesystem" else {}
    options = ("--include", "beatd.worker.auto") if only else ()
    with World(broker, folder, *options, "-c", "2", pool=pool, held_every=0.2, **only) as made:
        yield made


@everywhere
def test_ends_of_every_kind_are_reported(world: World) -> None:
    reports = world.ended(task_id := world.sent("add", 2, 2))
    assert states(reports) == [*RAN, "succeeded"]
    assert {one[:2] for one in facts(reports)} == {(task_id, "the add")}
    reports = world.ended(world.sent("fail", "on purpose"))
    assert states(reports) == [*RAN, "failed"] and reports[-1].error == "ValueError: on purpose"
    reports = world.ended(world.sent("flaky"), deliveries=2)
    assert states(reports) == [*RAN, "retried", *RAN, "succeeded"]
    assert states(world.ended(world.sent("ignore"))) == [*RAN, "succeeded"]


@everywhere
def test_a_running_task_is_named_until_it_ends(world: World) -> None:
    mark = world.folder / unique("mark")
    task_id = world.sent("wait", str(mark))
    until(
        lambda: any(task_id in dict(message.held or ()) for message in world.read()),
        10,
        "the run is not named",
    )
    mark.touch()
    assert states(world.ended(task_id)) == [*RAN, "succeeded"]


@in_greenlets
def test_a_task_that_is_stopped_in_a_greenlet_is_revoked(world: World) -> None:
    task_id = world.sent("wait", str(world.mark()))
    world.started(task_id)
    world.revoke(task_id, terminate=True)
    assert states(world.ended(task_id)) == [*RAN, "revoked"]
