"""Records of changes, pauses and pages in Redis: what an older beatd and damage leave."""

from typing import Any

import pytest
import redis

from beatd.catalog import Change
from beatd.changes import DEFINITION_BYTES_MAX
from beatd.run import Skip
from beatd.stores.redis import RedisStore, catalog
from tests.stores.changing import ANN, actions, add, change, changes, pause_of, state, stop
from tests.stores.making import (
    FOREVER,
    at,
    claimed,
    closed,
    edit,
    entry,
    lead,
    open_claims,
    plan,
    put,
    put_many,
    row,
    step,
    told,
)
from tests.stores.redis.test_plain import publish

KEY = "beatd:{0}:"


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    return own_store


def resumed_by_an_older_beatd(broker: redis.Redis, name: str) -> None:
    """It knows the row only, and leaves the pause where it is."""
    text = broker.hget(KEY + "rows", name)
    assert text is not None and b"\tep\t" in text
    broker.hset(KEY + "rows", name, text.replace(b"\tep\t", b"\te\t"))


# pauses


def test_a_pause_that_an_older_beatd_left_behind_ends_nothing(
    store: RedisStore, broker: redis.Redis
) -> None:
    for n, name in enumerate("abcd"):
        add(store, name)
        stop(store, name, pause_of(n))
    for name in "bc":
        resumed_by_an_older_beatd(broker, name)
    broker.hdel(KEY + "rows", "d")
    broker.hdel(KEY + "entries", "d")
    assert row(store, "b").pause is None
    assert list(store.ending_pauses(FOREVER, 1)) == ["a"]
    assert list(store.ending_pauses(FOREVER, 10)) == ["a"]
    assert broker.hkeys(KEY + "pauses") == broker.zrange(KEY + "pauses_end", 0, -1) == [b"a"]


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_pause_that_an_older_beatd_left_behind_is_no_later_one(
    store: RedisStore, broker: redis.Redis, is_removed: bool
) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    if is_removed:
        for key in ("rows", "entries"):
            broker.hdel(KEY + key, "tidy")
        assert store.write([Change("tidy", 0, entry(), plan(0), paused=True, author=ANN)]) == [True]
    else:
        resumed_by_an_older_beatd(broker, "tidy")
        stop(store)
    assert row(store).paused and row(store).pause is None
    assert changes(store)[0].after is not None and changes(store)[0].after.until is None
    assert not broker.exists(KEY + "pauses", KEY + "pauses_end")


@pytest.mark.parametrize("text", [b"", b"garbage", b"\xff", b"1\tx\t[]", b"1\t-\t{}", b"1\t2\t5"])
def test_a_damaged_pause_is_named_and_replaced(
    store: RedisStore, broker: redis.Redis, text: bytes
) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    broker.hset(KEY + "pauses", "tidy", text)
    assert row(store).paused and row(store).pause is None
    assert any("the pause of 'tidy' is damaged" in line for line in store.problems())
    stop(store, pause=pause_of(90))
    assert row(store).pause == pause_of(90)
    assert changes(store)[0].action == "paused"
    assert not any("the pause of" in line for line in store.problems())


# records of changes


def test_a_change_whose_answer_was_lost_has_one_record(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "token_hex", lambda size: "same")
    made = [Change("tidy", 0, entry(), plan(0), author=ANN)]
    assert [list(store.write(made)) for _ in range(2)] == [[True], [True]]
    assert actions(store) == [("tidy", "added")]


@pytest.mark.parametrize("where", ['say "a\\b"', 'tab\t, line\n, ["x","', "\\", 'ü"\u0001'])
def test_a_large_definition_is_left_out_whatever_declares_it(store: RedisStore, where: str) -> None:
    large = entry(
        source=f"file:{where}", declared_at=where, kwargs={"text": "x" * DEFINITION_BYTES_MAX}
    )
    add(store)
    assert store.write([edit(row(store), large, author=ANN)]) == [True]
    found = changes(store)[0]
    assert found.before == state(entry()) and found.after is not None
    assert (found.after.definition, found.after.source) == ("", f"file:{where}")
    assert found.after.declared_at == where


def test_what_did_not_change_is_kept_once(store: RedisStore, broker: redis.Redis) -> None:
    made = entry(kwargs={"text": "x" * 1000})
    add(store, kwargs={"text": "x" * 1000})
    stop(store, pause=pause_of(60))
    (_, fields), *_ = broker.xrevrange(KEY + "changes", count=1)
    assert sum(map(len, fields.values())) < 1_500
    assert (changes(store)[0].before, changes(store)[0].after) == (
        state(made),
        state(made, True, at(60)),
    )


DAMAGED: list[dict[Any, Any]] = [
    {"x": "y"},
    {"n": "tidy"},
    {"n": b"\xff", "p": "", "t": "1", "a": "added", "w": "{}", "b": "", "c": ""},
    {"n": "tidy", "p": "", "t": "1", "a": "eaten", "w": "{}", "b": "", "c": ""},
    {"n": "tidy", "p": "", "t": "x", "a": "added", "w": "{}", "b": "", "c": ""},
    {"n": "tidy", "p": "", "t": "1", "a": "added", "w": "[", "b": "", "c": ""},
    {"n": "tidy", "p": "", "t": "1", "a": "added", "w": "{}", "b": "", "c": "1\t\t"},
    {"n": "tidy", "p": "", "t": "1", "a": "added", "w": "{}", "b": "\t\t[]", "c": ""},
    {"n": "tidy", "p": "", "t": "9" * 40, "a": "added", "w": "{}", "b": "", "c": ""},
]


@pytest.mark.parametrize("fields", DAMAGED, ids=str)
def test_a_damaged_record_hides_no_other(
    store: RedisStore, broker: redis.Redis, fields: dict[Any, Any]
) -> None:
    add(store)
    change(store, every="20s")
    newest = broker.hget(KEY + "newest_changes", "tidy")
    if "p" in fields:
        fields = {**fields, "p": newest}
    id = broker.xadd(KEY + "changes", fields)
    if fields.get("p"):
        broker.hset(KEY + "newest_changes", "tidy", id)
    change(store, every="30s")
    assert [one.action for one in store.changes(None, 3)] == ["edited", "edited", "added"]
    assert [one.action for one in store.changes(None, 1)] == ["edited"]
    assert [one.action for one in store.changes("tidy", 3)] == ["edited", "edited", "added"]
    assert store.change(id.decode()) is None
    assert any(f"the record of change {id.decode()} is damaged" in p for p in store.problems())
    store.write_changes(changes(store)[::-1])
    assert len(changes(store)) == 3
    assert store.forget_changes(FOREVER, 0) == 4
    assert not broker.exists(KEY + "newest_changes")


@pytest.mark.parametrize("at_itself", [True, False])
def test_a_walk_that_leads_back_ends(
    store: RedisStore, broker: redis.Redis, at_itself: bool
) -> None:
    add(store)
    last = int(changes(store)[0].id.partition("-")[0])
    first, second = f"{last + 1}-0", f"{last + 2}-0"
    (_, fields), *_ = broker.xrevrange(KEY + "changes", count=1)
    broker.xadd(KEY + "changes", {**fields, b"p": first if at_itself else second}, id=first)
    broker.xadd(KEY + "changes", {**fields, b"p": first}, id=second)
    broker.hset(KEY + "newest_changes", "tidy", second)
    assert len(store.changes("tidy", 10)) == 2
    store.write_changes(changes(store)[::-1])
    assert len(changes(store)) == 3


def test_forgetting_leaves_nothing_behind_but_the_place(
    store: RedisStore, broker: redis.Redis
) -> None:
    for name in "ab":
        add(store, name)
    change(store, "a", every="20s")
    assert store.forget_changes(FOREVER, 1) == 3
    assert not broker.exists(KEY + "newest_changes")
    assert broker.xlen(KEY + "changes") == 0


def test_the_newest_record_of_a_name_is_known_until_it_is_forgotten(
    store: RedisStore, broker: redis.Redis
) -> None:
    for name in "ab":
        add(store, name)
    change(store, "a", every="20s")
    assert store.forget_changes(at(0), 1) == 2
    assert broker.hkeys(KEY + "newest_changes") == [b"a"]
    assert actions(store, "a") == [("a", "edited")]


# pages of the history


def test_lines_that_wait_are_on_the_first_page(store: RedisStore, broker: redis.Redis) -> None:
    term = lead(store)
    put_many(store, "ab")
    for read in (
        lambda: [record.name for record in store.history_page(None, 10).records],
        lambda: [record.name for record in store.history_page("b", 10).records],
        lambda: list(store.newest_records(["a", "b"], 10)),
    ):
        publish(store, term, "ab", when=1)
        assert broker.exists(KEY + "unwritten")
        assert "b" in read()
        assert not broker.exists(KEY + "unwritten")


def test_a_page_may_begin_at_a_line_that_was_taken_back(store: RedisStore) -> None:
    term = lead(store)
    put(store)
    store.record([told(claimed(store, row(store), term, 1, following=10))])
    run = claimed(store, row(store), term, 11, following=20)
    (claim,) = open_claims(store)
    assert store.claim([closed(claim, "unknown")], term, at(12)) == [True]
    skip = (Skip(at(20), at(20), 1, "late"),)
    assert store.claim([step(store, row(store), 30, run=None, counts=0, skips=skip)], term, at(21))
    pages = {name: store.history_page(name, 1) for name in (None, "tidy")}
    store.record([told(run, when=22)])
    for name, page in pages.items():
        assert [record.reason for record in page.records] == ["late"]
        rest = store.history_page(name, 5, page.rest)
        assert [record.planned for record in rest.records] == [at(0)] and rest.rest == ""
    states = [one.state for one in store.newest_records(["tidy"], 3)["tidy"]]
    assert states == ["published", "skipped", "published"]
