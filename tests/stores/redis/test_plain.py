"""A batch that goes as one: its history waits for an idle moment, and nobody can tell."""

from collections.abc import Callable

import pytest
import redis

from beatd.errors import Deposed
from beatd.leader import Term
from beatd.publisher import Outcome, Push
from beatd.stores.redis import RedisStore
from tests.stores.making import (
    at,
    claimed,
    edit,
    entry,
    lead,
    past,
    plan,
    put,
    put_many,
    row,
    step,
    told,
)
from tests.stores.redis.servers import RedisProcess

CONFIRMED = Outcome("confirmed")
HISTORY, UNWRITTEN = "beatd:{0}:history", "beatd:{0}:unwritten"


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    return own_store


def publish(store: RedisStore, term: Term, names: str, when: float = 1) -> None:
    moves = [step(store, row(store, name), when + 9) for name in names]
    pushes = [[Push("celery", name.encode())] for name in names]
    assert store.step(moves, pushes).begin(term, at(when))() == [CONFIRMED] * len(names)


# history


def test_its_lines_are_left_and_are_found_by_whoever_looks(
    store: RedisStore, broker: redis.Redis
) -> None:
    term = lead(store)
    put_many(store, "abc")
    publish(store, term, "abc")
    assert (broker.xlen(HISTORY), broker.exists(UNWRITTEN)) == (0, 1)
    assert [line.state for line in past(store, "b")] == ["published"]
    assert (broker.xlen(HISTORY), broker.exists(UNWRITTEN)) == (3, 0)
    assert sorted(line.name for line in past(store)) == ["a", "b", "c"]


def test_they_say_what_a_line_that_was_written_at_once_says(store: RedisStore) -> None:
    term = lead(store)
    put_many(store, "ab")
    publish(store, term, "a")
    run = claimed(store, row(store, "b"), term)
    store.record([told(run, when=1)])
    (left,), (written,) = past(store, "a"), past(store, "b")
    assert (left.planned, left.published, left.late, left.term, left.count) == (
        written.planned,
        written.published,
        written.late,
        written.term,
        written.count,
    )
    assert left.task_id != written.task_id


def test_they_are_written_so_many_at_a_time(store: RedisStore, broker: redis.Redis) -> None:
    term = lead(store)
    put_many(store, "abcdefg")
    publish(store, term, "abcde")
    publish(store, term, "fg", when=2)
    assert [store.write_up(3) for _ in range(3)] == [True, True, False]
    assert broker.xlen(HISTORY) == 7
    assert [line.name for line in past(store)] == list("gfedcba")
    assert not store.write_up(3)


def test_a_line_that_comes_later_comes_after_them(store: RedisStore) -> None:
    term = lead(store)
    put(store, "a")
    publish(store, term, "a")
    run = claimed(store, row(store, "a"), term, when=11, following=20)
    store.record([told(run, when=11)])
    publish(store, term, "a", when=21)
    assert [line.published for line in past(store, "a")] == [at(21), at(11), at(1)]
    assert [line.published for line in past(store)] == [at(21), at(11), at(1)]


def test_what_a_leader_left_behind_is_written_by_the_next(
    store: RedisStore, broker: redis.Redis
) -> None:
    put_many(store, "ab")
    publish(store, lead(store), "a")
    publish(store, lead(store, "another"), "b", when=2)
    assert not store.write_up(100)
    assert [(line.name, line.term) for line in past(store)] == [("b", 2), ("a", 1)]


def test_no_more_than_so_many_batches_are_left(store: RedisStore, broker: redis.Redis) -> None:
    term = lead(store)
    put(store, "a")
    for number in range(40):
        publish(store, term, "a", when=1 + 10 * number)
    left = broker.llen(UNWRITTEN) // 5
    assert (left, broker.xlen(HISTORY)) == (16, 24)
    assert len(past(store, "a")) == 40


def test_what_is_left_is_forgotten_as_what_was_written(store: RedisStore) -> None:
    term = lead(store)
    put(store, "a")
    publish(store, term, "a")
    publish(store, term, "a", when=11)
    assert store.forget(at(5), keep=100) == 1
    assert [line.published for line in past(store, "a")] == [at(11)]


# what does not go as one


def test_where_a_row_was_edited_the_others_go_by_themselves(
    store: RedisStore, broker: redis.Redis
) -> None:
    term, found = lead(store), put_many(store, "abc")
    moves = [step(store, stored) for stored in found]
    waiting = store.step(moves, [[Push("celery", b"%d" % n)] for n in range(3)])
    waiting.send_ahead()
    assert store.write([edit(row(store, "b"), entry("b", args=[7]), plan(0))]) == [True]
    assert waiting.begin(term, at(1))() == [CONFIRMED, None, CONFIRMED]
    assert broker.lrange("celery", 0, -1) == [b"2", b"0"]
    assert sorted(line.name for line in past(store)) == ["a", "c"]


@pytest.mark.parametrize("allowed", ["~one %R~two", "%R~one ~two"])
def test_a_queue_that_may_not_be_written_rejects_what_is_its_own(
    store: RedisStore,
    own_server: RedisProcess,
    broker: redis.Redis,
    open_store: Callable,
    allowed: str,
) -> None:
    term, found = lead(store), put_many(store, "ab")
    broker.execute_command(
        "ACL", "SETUSER", "beat", "reset", "on", ">s3cret", "+@all", "~beatd:*", "&*",
        *allowed.split(),
    )  # fmt: skip
    mine = open_store(own_server.url.replace("redis://", "redis://beat:s3cret@"))
    pushes = [[Push("one", b"1")], [Push("two", b"2")]]
    done = mine.step([step(store, one) for one in found], pushes).begin(term, at(1))()
    sent = [outcome and outcome.sent for outcome in done]
    refused = sent.index("rejected")
    assert sorted(map(str, sent)) == ["confirmed", "rejected"]
    assert (refused, broker.llen("one"), broker.llen("two")) in [(1, 1, 0), (0, 0, 1)]
    (failed,) = [line for line in past(store) if line.state == "failed"]
    assert failed.name == "ab"[refused] and "can't access" in failed.reason


# sent ahead


def test_what_is_sent_ahead_waits_for_its_moment(store: RedisStore, broker: redis.Redis) -> None:
    term, stored = lead(store), put(store)
    waiting = store.step([step(store, stored)], [[Push("celery", b"1")]])
    waiting.send_ahead()
    assert store.upcoming(10) == [stored]
    assert broker.llen("celery") == 0
    assert waiting.begin(term, at(1))() == [CONFIRMED]
    assert broker.lrange("celery", 0, -1) == [b"1"]
    (line,) = past(store)
    assert (line.published, line.late) == (at(1), 1)


def test_what_is_dropped_is_as_if_it_had_not_been(store: RedisStore, broker: redis.Redis) -> None:
    term, stored = lead(store), put(store)
    waiting = store.step([step(store, stored)], [[Push("celery", b"1")]])
    waiting.send_ahead()
    waiting.drop()
    waiting.drop()
    assert (broker.llen("celery"), row(store)) == (0, stored)
    waiting.send_ahead()
    assert waiting.begin(term, at(1))() == [CONFIRMED]


def test_a_step_sent_ahead_by_a_deposed_leader_pushes_nothing(
    store: RedisStore, broker: redis.Redis
) -> None:
    old, stored = lead(store), put(store)
    waiting = store.step([step(store, stored)], [[Push("celery", b"1")]])
    waiting.send_ahead()
    lead(store, "another")
    with pytest.raises(Deposed, match="another"):
        waiting.begin(old, at(1))()
    assert broker.llen("celery") == 0


def test_a_connection_that_breaks_under_it_costs_nothing(
    store: RedisStore, broker: redis.Redis
) -> None:
    term, found = lead(store), put_many(store, "ab")
    waiting = store.step([step(store, one) for one in found], [[Push("celery", b"1")]] * 2)
    waiting.send_ahead()
    broker.client_kill_filter(_type="normal", skipme=True)
    assert waiting.begin(term, at(1))() == [CONFIRMED] * 2
    assert broker.llen("celery") == 2


def test_a_server_that_forgot_its_scripts_is_told_them_again(
    store: RedisStore, broker: redis.Redis
) -> None:
    term, stored = lead(store), put(store)
    waiting = store.step([step(store, stored)], [[Push("celery", b"1")]])
    waiting.send_ahead()
    broker.script_flush()
    assert waiting.begin(term, at(1))() == [CONFIRMED]
    assert broker.llen("celery") == 1


def test_any_bytes_and_names_go_as_they_are(store: RedisStore, broker: redis.Redis) -> None:
    term, name = lead(store), "ä\t\n$5\r\n\0"
    body = bytes(range(256)) + b"$5\r\n"
    waiting = store.step([step(store, put(store, name))], [[Push("clé", body)]])
    waiting.send_ahead()
    assert waiting.begin(term, at(1))() == [CONFIRMED]
    assert broker.rpop("clé") == body
    assert [line.name for line in past(store, name)] == [name]


def test_a_full_redis_shows_the_history_it_has_and_forgets_it(
    store: RedisStore, broker: redis.Redis
) -> None:
    term = lead(store)
    put_many(store, "ab")
    publish(store, term, "a")
    assert len(past(store)) == 1
    publish(store, term, "b")
    broker.config_set("maxmemory-policy", "noeviction")
    broker.config_set("maxmemory", "1")
    try:
        assert [line.name for line in past(store)] == ["a"]
        assert [line.name for line in past(store, "a")] == ["a"]
        assert not past(store, "b")
        assert store.forget(at(99), 0) == 1, "what makes room"
    finally:
        broker.config_set("maxmemory", "0")
    assert [line.name for line in past(store)] == ["b"]
    assert [line.name for line in past(store, "b")] == ["b"]
    assert not past(store, "a")
