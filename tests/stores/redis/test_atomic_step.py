"""Claim and push in one step: PROTOCOL 13."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis
from msgspec.structs import replace

from beatd.errors import Deposed
from beatd.leader import Term
from beatd.ledger import Move
from beatd.publisher import Outcome, Push
from beatd.stores.redis import RedisStore
from tests.stores.making import (
    again,
    asked,
    at,
    claimed,
    lead,
    open_claims,
    past,
    put,
    put_many,
    request_of,
    row,
    step,
    told,
)
from tests.stores.redis.servers import Start

CONFIRMED = Outcome("confirmed")


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    return own_store


def publish(
    store: RedisStore, moves: Sequence[Move], pushes: Sequence[Sequence[Push]], term: Term, at: Any
) -> Sequence[Outcome | None]:
    return store.step(moves, pushes).begin(term, at)()


def one(body: bytes = b"{}", key: str = "celery") -> list[Push]:
    return [Push(key, body)]


def test_a_run_is_pushed_and_published_at_once(store: RedisStore, broker: redis.Redis) -> None:
    term, stored = lead(store), put(store)
    assert publish(store, [step(store, stored)], [one(b"hello")], term, at(1)) == [CONFIRMED]
    assert broker.lrange("celery", 0, -1) == [b"hello"]
    assert row(store).plan.planned == at(10)
    assert (row(store).runs, row(store).last) == (1, at(0))
    assert open_claims(store) == []
    (record,) = past(store)
    assert (record.state, record.published, record.late, record.term) == ("published", at(1), 1, 1)


def test_messages_are_consumed_in_the_order_of_their_moves(
    store: RedisStore, broker: redis.Redis
) -> None:
    term, found = lead(store), put_many(store, ["a", "b", "c"])
    bodies = [one(name.encode()) for name in ("a", "b", "c")]
    publish(store, [step(store, stored) for stored in found], bodies, term, at(1))
    assert [broker.rpop("celery") for _ in range(3)] == [b"a", b"b", b"c"]


def test_any_bytes_reach_the_queue_as_they_are(store: RedisStore, broker: redis.Redis) -> None:
    body = bytes(range(256))
    publish(store, [step(store, put(store))], [one(body)], lead(store), at(1))
    assert broker.rpop("celery") == body


def test_done_twice_the_second_does_nothing_and_answers_the_same(
    store: RedisStore, broker: redis.Redis
) -> None:
    broker.set("no-queue", "text")
    term, found = lead(store), put_many(store, ["a", "b"])
    moves, pushes = [step(store, stored) for stored in found], [one(), one(key="no-queue")]
    first = publish(store, moves, pushes, term, at(1))
    assert publish(store, moves, pushes, term, at(1)) == first
    assert [outcome and outcome.sent for outcome in first] == ["confirmed", "rejected"]
    assert broker.llen("celery") == 1
    assert len(past(store)) == 2


def test_a_queue_that_is_none_rejects_its_messages_and_no_others(
    store: RedisStore, broker: redis.Redis
) -> None:
    broker.set("no-queue", "text")
    term, found = lead(store), put_many(store, ["a", "b"])
    done = publish(
        store, [step(store, stored) for stored in found], [one(key="no-queue"), one()], term, at(1)
    )
    assert done[0] is not None and done[0].sent == "rejected" and "no-queue" in done[0].reason
    assert done[1] == CONFIRMED
    (failed,) = [record for record in past(store) if record.name == "a"]
    assert failed.state == "failed" and "no-queue" in failed.reason and failed.task_id
    assert row(store, "a").plan.planned == at(10)


def test_a_message_for_several_queues_goes_to_all_or_none(
    store: RedisStore, broker: redis.Redis
) -> None:
    broker.set("no-queue", "text")
    term, found = lead(store), put_many(store, ["a", "b"])
    both = [Push("one", b"1"), Push("two", b"2")]
    mixed = [Push("one", b"1"), Push("no-queue", b"2")]
    done = publish(store, [step(store, stored) for stored in found], [both, mixed], term, at(1))
    assert [outcome and outcome.sent for outcome in done] == ["confirmed", "rejected"]
    assert (broker.llen("one"), broker.llen("two")) == (1, 1)


def test_what_changed_since_is_not_pushed(store: RedisStore, broker: redis.Redis) -> None:
    term, stored = lead(store), put(store)
    assert publish(store, [step(store, stored, 10)], [one()], term, at(1)) == [CONFIRMED]
    other = step(store, stored, 20)
    assert not store.write_up(100)
    broker.delete("celery", "beatd:{0}:tails")  # as if its history had been forgotten
    assert publish(store, [other], [one()], term, at(2)) == [None]
    assert broker.llen("celery") == 0


def test_a_deposed_leader_pushes_nothing(store: RedisStore, broker: redis.Redis) -> None:
    old, stored = lead(store), put(store)
    lead(store, "another")
    with pytest.raises(Deposed, match="another"):
        publish(store, [step(store, stored)], [one()], old, at(1))
    assert broker.llen("celery") == 0
    assert row(store).plan.planned == at(0)


def test_requests_and_open_claims_go_the_same_way(store: RedisStore, broker: redis.Redis) -> None:
    term, stored = lead(store), put(store)
    request = request_of(stored)
    store.add_requests([request])
    assert publish(store, [asked(store, request, stored)], [one()], term, at(1)) == [CONFIRMED]
    assert not store.requests(10)
    claimed(store, row(store), term, 2)
    (claim,) = open_claims(store)
    assert publish(store, [again(claim, store)], [one()], term, at(3)) == [CONFIRMED]
    assert open_claims(store) == []
    assert broker.llen("celery") == 2


def test_a_long_backlog_that_is_tried_again_answers_the_same(
    store: RedisStore, broker: redis.Redis
) -> None:
    term, stored = lead(store), put(store)
    request = request_of(stored, "backlog", 0, 10 * 29)
    store.add_requests([request])
    moves = []
    for n in range(30):
        left = replace(request, first=at(10 * n))
        following = at(10 * (n + 1)) if n < 29 else None
        moves.append(asked(store, left, stored, first=following, counts=1))
    first = publish(store, moves, [one()] * 30, term, at(400))
    assert publish(store, moves, [one()] * 30, term, at(400)) == first == [CONFIRMED] * 30
    assert broker.llen("celery") == 30


def test_a_lost_reply_to_a_publish_costs_nothing(store: RedisStore, broker: redis.Redis) -> None:
    term, found = lead(store), put_many(store, [f"n{n}" for n in range(50)])
    moves = [step(store, stored) for stored in found]
    lose_a_reply(store)
    assert publish(store, moves, [one()] * 50, term, at(1)) == [CONFIRMED] * 50
    assert broker.llen("celery") == 50
    assert len(past(store)) == 50


def test_a_lost_reply_to_a_claim_costs_nothing(store: RedisStore) -> None:
    term, stored = lead(store), put(store)
    lose_a_reply(store)
    assert store.claim([step(store, stored)], term, at(1)) == [True]
    assert len(open_claims(store)) == 1
    assert store.claim([step(store, stored)], term, at(1)) == [False]


def test_a_lost_reply_to_a_record_costs_nothing(store: RedisStore) -> None:
    run = claimed(store, put(store), lead(store))
    lose_a_reply(store)
    store.record([told(run)])
    assert [record.state for record in past(store)] == ["published"]


def test_a_lost_reply_to_an_edit_costs_nothing(store: RedisStore) -> None:
    lose_a_reply(store)
    put(store)
    assert row(store).revision


def test_memory_that_ran_out_leaves_nothing_half_done(start: Start, open_store: Callable) -> None:
    from beatd.errors import StoreError

    process = start()
    store = open_store(process.url)
    term, found = lead(store), put_many(store, ["a", "b"])
    process.admin.config_set("maxmemory", 1)
    with pytest.raises(StoreError, match="memory"):
        publish(store, [step(store, stored) for stored in found], [one(), one()], term, at(1))
    process.admin.config_set("maxmemory", 0)
    assert process.admin.llen("celery") == 0
    assert row(store, "a").plan.planned == at(0)


def lose_a_reply(store: RedisStore) -> None:
    """The next command has its effect, and its connection dies before the answer."""
    server: Any = store._server
    whole, begin = server.client.execute_command, server.begin

    def lost(answer: Any) -> None:
        # The script may not be known yet: then that command raised, and had no effect.
        server.client.execute_command, server.begin = whole, begin
        raise redis.ConnectionError("Connection closed by server.")

    def begin_once(*args: Any) -> Callable[[], None]:
        reply = begin(*args)
        return lambda: lost(reply())

    server.client.execute_command = lambda *args, **options: lost(whole(*args, **options))
    server.begin = begin_once
