"""The contract of a Presences, kept by every store."""

from collections.abc import Callable
from datetime import timedelta

from msgspec import json

from beatd.leader import Holder
from beatd.presence import Presence
from beatd.store import Store
from tests.stores.making import NOON, holder
from tests.waiting import until


def here(holder: Holder, **more: object) -> Presence:
    fields = {"role": "standby", "broker_ok": True, "seen_at": NOON, **more}
    return Presence(holder, **fields)


def test_nobody_is_there_at_first(store: Store) -> None:
    assert list(store.daemons()) == []


def test_who_announced_itself_is_there_as_it_said(store: Store, reopen: Callable) -> None:
    me = here(
        holder("bée 🐝"),
        role="leader",
        broker_ok=False,
        clock_offset=-0.25,
        declares="digest",
        stats={"lateness p99": 0.5, "runs": 3.0},
        version="0.1.0",
        needs_reload=("http", "alerts"),
    )
    store.announce(me, 30)
    assert list(reopen().daemons()) == [me]


def test_the_last_word_of_each_daemon_counts(store: Store) -> None:
    one, two = holder("one"), holder("two")
    store.announce(here(one), 30)
    store.announce(here(two), 30)
    store.announce(here(one, role="leader"), 30)
    assert {p.holder.name: p.role for p in store.daemons()} == {"one": "leader", "two": "standby"}


def test_two_starts_of_one_daemon_are_two(store: Store) -> None:
    store.announce(here(holder("one")), 30)
    store.announce(here(holder("one")), 30)
    assert len(store.daemons()) == 2


def test_who_left_is_there_no_more(store: Store, reopen: Callable) -> None:
    one, two = holder("one"), holder("two")
    store.announce(here(one), 30)
    store.announce(here(two), 30)
    reopen().leave(one)
    assert [presence.holder for presence in store.daemons()] == [two]
    store.leave(one)


def test_who_was_not_heard_of_for_its_ttl_is_there_no_more(store: Store) -> None:
    silent, alive = holder("silent"), holder("alive")
    store.announce(here(silent), 0.05)
    store.announce(here(alive), 30)
    until(lambda: len(store.daemons()) == 1, 5, "it is still there")
    assert [presence.holder for presence in store.daemons()] == [alive]


def test_the_time_a_daemon_was_seen_at_is_its_own_word(store: Store) -> None:
    long_ago = NOON - timedelta(days=1)
    store.announce(here(holder(), seen_at=long_ago), 30)
    assert [presence.seen_at for presence in store.daemons()] == [long_ago]


def test_daemons_of_an_older_and_a_newer_beatd_read_each_other() -> None:
    newer = {**json.decode(json.encode(here(holder("newer"), needs_reload=("http",)))), "more": 1}
    assert json.decode(json.encode(newer), type=Presence).needs_reload == ("http",)
    older = {key: newer[key] for key in ("holder", "role", "broker_ok", "seen_at")}
    read = json.decode(json.encode(older), type=Presence)
    assert (read.version, read.needs_reload) == ("", ())
