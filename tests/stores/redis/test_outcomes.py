"""How outcomes lie in Redis: little for each run, and damaged texts hold nothing up."""

import pytest
import redis
from msgspec.structs import replace

from beatd.run import Run
from beatd.stores.redis import RedisStore
from tests.stores.making import at, claimed, lead, put, row, run_of
from tests.stores.running_runs import delivery
from tests.stores.test_incidents import incident

KEY = "beatd:{0}:"


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    return own_store


@pytest.fixture
def run(store: RedisStore) -> Run:
    return claimed(store, put(store), lead(store))


def test_a_run_with_an_outcome_costs_little(store: RedisStore, broker: redis.Redis) -> None:
    stored = put(store)
    before = int(broker.info("memory")["used_memory"])
    for first in range(0, 5000, 1000):
        reports = [
            replace(
                delivery(run_of(store, stored, at(10 * n)), "succeeded", 10 * n + 2.345678),
                delivery=f"{n:032}",
                worker="celery@worker-17.example",
                received=at(10 * n + 0.004321),
                started=at(10 * n + 0.005432),
            )
            for n in range(first, first + 1000)
        ]
        store.write_outcomes(reports, at(60_000))
    used = int(broker.info("memory")["used_memory"]) - before
    assert used / 5000 < 550


def test_what_is_forgotten_leaves_no_key(store: RedisStore, broker: redis.Redis, run: Run) -> None:
    store.write_outcomes([delivery(run, "started")], at(3))
    store.forget(at(1000), 0)
    assert not broker.exists(*(KEY + key for key in ("deliveries", "reported", "live")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "\t",
        '["tidy",1e999,[]]',
        '["tidy",0,[["x"]]]',
        "[" * 500,
        b"\xff\x00",
    ],
)
def test_a_damaged_outcome_is_left_out_and_replaced(
    store: RedisStore, broker: redis.Redis, run: Run, text: str
) -> None:
    store.write_outcomes([delivery(run, "started", 3)], at(3))
    broker.hset(f"{KEY}deliveries", run.task_id, text)
    broker.hset(f"{KEY}outcomes", "tidy", text)
    assert store.outcomes([run.task_id]) == {} and store.entry_outcomes(None) == {}
    assert list(store.live_deliveries(10)) == []
    end = delivery(run, "failed", 5)
    assert store.write_outcomes([end], at(5)) == ["written"]
    assert list(store.outcomes([run.task_id])[run.task_id]) == [end]
    assert store.entry_outcomes(None)["tidy"].failures == 1
    assert row(store).entry.name == "tidy"


def test_a_damaged_incident_is_left_out(store: RedisStore, broker: redis.Redis) -> None:
    assert store.put_incidents([incident(0), incident(1, "other")]) == [True, True]
    for id in broker.hkeys(f"{KEY}incidents"):
        if id.endswith(b":tidy"):
            broker.hset(f"{KEY}incidents", id, b"\xff")
    assert [found.name for found in store.open_incidents()] == ["other"]
    assert [found.name for found in store.incidents(None, None)] == ["other"]
