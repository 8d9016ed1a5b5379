"""docs/config.rst: redbeat_key_prefix, Sentinel support, Redis Cluster support."""

from pathlib import Path

import pytest
from celery.schedules import schedule
from redbeat import RedBeatSchedulerEntry

from beatd.errors import ConfigError, StoreError
from beatd.imports.readers import read
from tests.peers.redbeat.conftest import RedBeat
from tests.stores.redis.servers import Start, cluster, sentinel, until


def saved(place: RedBeat, count: int) -> set[str]:
    names = {f"task-{n}" for n in range(count)}
    for name in names:
        RedBeatSchedulerEntry(name, "tasks.t", schedule(60), app=place.app).save()
    return names


def names(place: RedBeat) -> set[str]:
    made = place.imported()
    assert not made.refused
    return {one.entry.name for one in made.entries}


def test_redbeat_key_prefix(place: RedBeat) -> None:
    saved(place, 1)
    assert names(place) == {"task-0"}
    other = read(f"redbeat+{place.source}").read
    assert "task-0" not in {found.name for found in other.found}


def test_sentinel_support(start: Start, tmp_path: Path) -> None:
    master = start("--requirepass", "123", auth=":123@")
    watcher = sentinel(start, master, tmp_path, down_after_ms=60_000)
    try:
        watcher.admin.execute_command("SENTINEL SET ours auth-pass 123")
        until(lambda: "down" not in watcher.admin.sentinel_master("ours")["flags"])
        place = RedBeat(
            f"redis-sentinel://:123@127.0.0.1:{watcher.port}/ours/0",
            "redbeat:",
            redbeat_redis_url="redis-sentinel://redis-sentinel:26379/0",
            redbeat_redis_options={
                "sentinels": [("127.0.0.1", watcher.port)],
                "password": "123",
                "db": 0,
                "service_name": "ours",
                "socket_timeout": 5,
                "retry_period": 60,
            },
        )
        assert names(place) == set()
        wanted = saved(place, 3)
        assert names(place) == wanted
    finally:
        watcher.close()


def test_redis_cluster_support(start: Start) -> None:
    """The documented `startup_nodes` are dicts, which redis-py refuses; `cluster` does work."""
    nodes = cluster(start)
    place = RedBeat(
        f"redis-cluster://127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}",
        "redbeat:",
        redbeat_redis_url=f"redis://127.0.0.1:{nodes[0].port}/0",
        redbeat_redis_options={"cluster": True, "decode_responses": True},
    )
    assert names(place) == set()
    # Enough for all three nodes to have some.
    wanted = saved(place, 30)
    assert all(node.admin.dbsize() for node in nodes)
    assert names(place) == wanted


def test_a_sentinel_url_as_redbeat_writes_it_names_no_service() -> None:
    with pytest.raises(ConfigError, match="name the service that the Sentinels watch"):
        read("redbeat+redis-sentinel://redis-sentinel:26379/0")


@pytest.mark.parametrize(
    "form", ["redis-sentinel://127.0.0.1:1/ours", "redis-cluster://127.0.0.1:1"]
)
def test_servers_that_are_away_are_one_line(form: str) -> None:
    with pytest.raises(StoreError) as said:
        read(f"redbeat+{form}")
    assert "\n" not in str(said.value)
