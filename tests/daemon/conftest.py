"""Real daemons as processes, and the stores and brokers that they work on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.databases import mariadb_url, postgresql_url  # noqa: F401
from tests.process import Process

Start = Callable[..., Process]
Server = Callable[[str], tuple[str, int]]
#: Where a test of all places is short; the others are alike.
SOME_PLACES = [
    "postgresql",
    "redis",
    "sqlite",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("memory", "shelve", "mariadb")),
    pytest.param("sqlite and rabbitmq", marks=pytest.mark.long),
]


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
def redis_url(server: Server) -> str:
    host, port = server("redis")
    return f"redis://{host}:{port}/0"


@pytest.fixture(
    params=["memory", "shelve", "sqlite", "postgresql", "mariadb", "redis", "sqlite and rabbitmq"]
)
def places(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> dict[str, str]:
    """Where the store and the broker are, as the configuration names them."""
    store, _, broker = request.param.partition(" and ")
    files = (
        f"{{data_folder_in: {tmp_path}, data_folder_out: {tmp_path}, control_folder: {tmp_path}/c}}"
    )
    brokers = {"": f"{{url: 'filesystem://', transport_options: {files}}}"}
    if store == "redis":
        brokers[""] = f"{{url: '{request.getfixturevalue('redis_url')}'}}"
    if broker:
        host, port = server("rabbitmq")
        brokers[broker] = f"{{url: 'amqp://guest:guest@{host}:{port}//'}}"
    embedded = {
        "memory": "memory:",
        "shelve": f"shelve:{tmp_path / 'shelf'}",
        "sqlite": f"sqlite:///{tmp_path / 'beatd.db'}",
    }
    url = embedded.get(store) or request.getfixturevalue(f"{store}_url")
    return {"store": f"{{url: '{url}', prefix: '{uuid4().hex}:'}}", "broker": brokers[broker]}
