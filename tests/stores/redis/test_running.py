"""Running runs in one step with the pushes, and how they lie in Redis."""

from collections.abc import Sequence

import pytest
import redis
from msgspec.structs import replace

from beatd.catalog import Change
from beatd.leader import Term
from beatd.ledger import Move, RunningChange
from beatd.publisher import Push
from beatd.run import Running
from beatd.stores.redis import RedisStore
from tests.stores.making import (
    again,
    asked,
    at,
    lead,
    open_claims,
    past,
    put,
    request_of,
    row,
    step,
)
from tests.stores.running_runs import UNTIL, delivery, put_queued, started, starting, waiting

KEY = "beatd:{0}:"


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    return own_store


def publish(
    store: RedisStore, moves: Sequence[Move], term: Term, when: float, *queues: str
) -> list[str]:
    """What became of each message: "confirmed", "rejected", or "" for a move that was not made."""
    keys = queues or ["celery"] * len(moves)
    pushes = [[Push(key, move.name.encode())] for key, move in zip(keys, moves, strict=True)]
    done = store.step(moves, pushes).begin(term, at(when))()
    return [outcome.sent if outcome else "" for outcome in done]


def in_redis(broker: redis.Redis) -> tuple[int, int]:
    return broker.hlen(f"{KEY}running"), broker.hlen(f"{KEY}running_of")


# in one step


def test_the_usual_batch_makes_its_runs_the_running_ones(
    store: RedisStore, broker: redis.Redis
) -> None:
    a, b, term = put(store, "a"), put_queued(store, "b"), lead(store)
    moves = [starting(store, b), step(store, a)]
    assert publish(store, moves, term, 1) == ["confirmed"] * 2
    assert broker.exists(f"{KEY}unwritten"), "its history waits for an idle moment"
    assert moves[0].run is not None
    assert store.running(None) == {"b": Running(moves[0].run.task_id, at(1), UNTIL)}
    assert in_redis(broker) == (1, 1)


def test_the_next_run_takes_the_place_of_the_last(store: RedisStore, broker: redis.Redis) -> None:
    term = lead(store)
    first = started(store, put_queued(store), term)
    move = starting(store, row(store), seen=first.task_id, until=at(120))
    assert publish(store, [move], term, 61) == ["confirmed"]
    assert move.run is not None
    assert store.running(None) == {"tidy": Running(move.run.task_id, at(61), at(120))}
    assert in_redis(broker) == (1, 1)


def test_a_run_that_was_prolonged_keeps_the_next_from_being_pushed(
    store: RedisStore, broker: redis.Redis
) -> None:
    term = lead(store)
    first = started(store, put_queued(store), term)
    over = RunningChange(first.task_id, at(180), is_over=True)
    move = replace(starting(store, row(store)), running=over)
    store.prolong([first.task_id], at(120))
    assert publish(store, [move], term, 119) == [""]
    assert broker.llen("celery") == 0
    assert publish(store, [move], term, 120) == ["confirmed"]


@pytest.mark.parametrize("seen", ["", "another"])
def test_nothing_is_pushed_beside_a_running_run_that_was_not_seen(
    store: RedisStore, broker: redis.Redis, seen: str
) -> None:
    term = lead(store)
    started(store, put_queued(store), term)
    put(store, "other")
    before = row(store)
    moves = [starting(store, before, seen=seen), step(store, row(store, "other"))]
    assert publish(store, moves, term, 11) == ["", "confirmed"]
    assert row(store) == before
    assert broker.lrange("celery", 0, -1) == [b"other"]


def test_done_twice_the_second_does_nothing(store: RedisStore, broker: redis.Redis) -> None:
    term, moves = lead(store), [starting(store, put_queued(store))]
    assert publish(store, moves, term, 1) == publish(store, moves, term, 1) == ["confirmed"]
    assert broker.llen("celery") == 1
    assert store.running(None)["tidy"].since == at(1)


@pytest.mark.parametrize("queue", ["text", "set"])
def test_a_rejected_run_is_not_running(store: RedisStore, broker: redis.Redis, queue: str) -> None:
    broker.set("text", "no queue")
    broker.sadd("set", "no queue")
    a, b = put_queued(store, "a"), put_queued(store, "b")
    moves = [starting(store, a), starting(store, b)]
    assert publish(store, moves, lead(store), 1, "celery", queue) == ["confirmed", "rejected"]
    assert list(store.running(None)) == ["a"]
    assert in_redis(broker) == (1, 1)


def test_a_run_of_a_queue_that_may_not_be_written_is_not_running(
    store: RedisStore, broker: redis.Redis, own_server, open_store
) -> None:
    a, b = put_queued(store, "a"), put_queued(store, "b")
    broker.execute_command(
        "ACL", "SETUSER", "beat", "reset", "on", ">s3cret", "+@all", "~beatd:*", "&*", "~one",
        "%R~two",
    )  # fmt: skip
    mine = open_store(own_server.url.replace("redis://", "redis://beat:s3cret@"))
    moves = [starting(store, a), starting(store, b)]
    assert publish(mine, moves, lead(store), 1, "one", "two") == ["confirmed", "rejected"]
    assert list(store.running(None)) == ["a"]
    assert in_redis(broker) == (1, 1)


def test_a_request_and_a_resent_run_are_pushed_only_if_no_other_is_running(
    store: RedisStore, broker: redis.Redis
) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    request = request_of(row(store))
    store.add_requests([request])
    by_hand = asked(store, request, row(store), running=RunningChange("", at(90)))
    (claim,) = open_claims(store)
    resent = again(claim, store, running=RunningChange(run.task_id, at(90)))
    assert publish(store, [by_hand, resent], term, 12) == ["", "confirmed"]
    assert store.running(None) == {"tidy": Running(run.task_id, at(1), at(90))}
    store.write_outcomes([delivery(run, "succeeded")], at(14))
    assert publish(store, [by_hand], term, 15) == ["confirmed"]
    assert broker.llen("celery") == 2


# how they lie in Redis


def test_an_entry_that_allows_overlap_costs_no_key(store: RedisStore, broker: redis.Redis) -> None:
    move = step(store, put(store))
    assert publish(store, [move], lead(store), 1) == ["confirmed"]
    assert in_redis(broker) == (0, 0)


def test_nothing_is_left_of_a_removed_entry(store: RedisStore, broker: redis.Redis) -> None:
    run = started(store, put_queued(store), lead(store))
    store.write_outcomes([delivery(run)], at(3))
    assert store.write([Change("tidy", row(store).revision, None)]) == [True]
    assert in_redis(broker) == (0, 0)
    assert not broker.exists(f"{KEY}outcomes")


def test_what_an_older_beatd_left_of_a_removed_entry_is_not_that_of_a_new_one(
    store: RedisStore, broker: redis.Redis
) -> None:
    run = started(store, put_queued(store), lead(store))
    store.write_outcomes([delivery(run)], at(3))
    kept = {key: broker.hgetall(KEY + key) for key in ("running", "running_of", "outcomes")}
    assert store.write([Change("tidy", row(store).revision, None)]) == [True]
    for key, fields in kept.items():
        broker.hset(KEY + key, mapping=fields)
    assert put_queued(store).running is None
    assert store.entry_outcomes(None) == {}
    assert in_redis(broker) == (0, 0)


@pytest.mark.parametrize("text", ["", "x", "\t\t\t", "1\t2\t3\t4\t5", "1\t\t\tx", b"\xff\t\xff"])
def test_a_damaged_running_run_is_none(store: RedisStore, broker: redis.Redis, text: str) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    broker.hset(f"{KEY}running", "tidy", text)
    assert row(store).running is None
    store.prolong([run.task_id], at(90))
    store.write_outcomes([delivery(run, "succeeded")], at(5))
    broker.hset(f"{KEY}running", "tidy", text)
    assert publish(store, [starting(store, row(store))], term, 11) == ["confirmed"]
    assert row(store).running is not None


@pytest.mark.parametrize(
    "damaged", ["", "x\t\t\t", "-\t1\te\t1\t\t-\tm\tr", "1\t1\te\t1\t\tx\tm\tr"]
)
def test_a_damaged_plan_holds_up_no_outcome(
    store: RedisStore, broker: redis.Redis, damaged: str
) -> None:
    term = lead(store)
    runs = [started(store, put_queued(store, name), term) for name in "ab"]
    assert store.claim([waiting(store, row(store, name)) for name in "ab"], term, at(10))
    broker.hset(f"{KEY}rows", "a", damaged)
    store.prolong([run.task_id for run in runs], at(90))
    ends = [delivery(run, "succeeded") for run in runs]
    assert store.write_outcomes(ends, at(14)) == ["written"] * 2
    assert row(store, "b").plan.due == at(14)


# the history that waits for an idle moment


def test_it_has_the_origins_of_the_runs(store: RedisStore, broker: redis.Redis) -> None:
    term, moves = lead(store), []
    origins = {"a": "planned", "b": "catch-up", "c": "planned"}
    for name, origin in origins.items():
        move = step(store, put(store, name))
        assert move.run is not None
        moves.append(replace(move, run=replace(move.run, origin=origin)))
    assert publish(store, moves, term, 1) == ["confirmed"] * 3
    assert broker.exists(f"{KEY}unwritten")
    assert {line.name: line.origin for line in past(store)} == origins
    lines = [b"".join(fields).decode() for _, fields in broker.xrange(f"{KEY}history")]
    assert lines == ["npostb", "npostbw", "npostb"], "an older beatd reads the first twelve"
