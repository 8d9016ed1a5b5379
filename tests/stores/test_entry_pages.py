"""The contract of searches for a page of entries, kept by every store."""

from collections.abc import Iterator
from typing import Any

import pytest

from beatd.catalog import Position, Query, Stored
from beatd.store import Store
from tests.stores.changing import pause_of, stop
from tests.stores.making import FOREVER, at, names, put, put_many

HARD = [
    "a%b",
    "a_b",
    "a\\b",
    "a*b",
    "a?b",
    "a[b]",
    "a!b",
    "axb",
    "A%B",
    "ab",
    "ä",
    "Ä",
    "ß",
    "\u212a",
]


def fill(store: Store) -> None:
    """Entries that are due at different and at equal moments, or not at all."""
    planned = {"d": 30, "B": 10, "a": 10, "ä": 20, "c*": 10, "🐝": 30, "e": 5, "é": 7}
    for name, moment in planned.items():
        put(store, name, moment)
    put(store, "b", None)
    put(store, "Z", None)
    put(store, "f", 12, enabled=False)
    stop(store, "e", pause_of(60))
    stop(store, "é")


def position_of(stored: Stored) -> Position:
    return Position(stored.entry.name, stored.plan.due)


def walk(store: Store, size: int, **query: Any) -> Iterator[Stored]:
    after: Position | None = None
    while True:
        page = list(store.find(Query(limit=size, after=after, **query)))
        assert len(page) <= size
        yield from page
        if len(page) < size:
            return
        after = position_of(page[-1])


ORDERS: list[Any] = ["name", "next"]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"source": "cli"},
    {"paused": True},
    {"paused": False},
    {"enabled": False},
    {"enabled": True},
    {"name_like": "*"},
    {"name_like": "c*"},
    {"task_like": "proj.*"},
    {"contains": "proj"},
    {"due_before": FOREVER},
    {"due_before": at(20)},
    {"names": ("a", "B", "Z", "b", "e", "none")},
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
def test_pages_are_the_whole_search(store: Store, order: Any, conditions: dict[str, Any]) -> None:
    fill(store)
    whole = list(store.find(Query(order=order, **conditions)))
    assert whole
    for size in (1, 2, 3, 100):
        assert list(walk(store, size, order=order, **conditions)) == whole


@pytest.mark.parametrize("order", ORDERS)
def test_a_search_goes_on_behind_any_place(store: Store, order: Any) -> None:
    fill(store)
    whole = list(store.find(Query(order=order)))
    for n, stored in enumerate(whole):
        assert list(store.find(Query(order=order, after=position_of(stored)))) == whole[n + 1 :]


def test_entries_without_a_due_moment_come_last_in_the_order_of_names(store: Store) -> None:
    fill(store)
    stopped = ["Z", "b", "e", "f", "é"]
    assert names(store.find(Query(order="next")))[-5:] == stopped
    assert names(store.find(Query(order="next", after=Position("")))) == stopped
    assert names(store.find(Query(order="next", after=Position("e")))) == ["f", "é"]
    assert names(store.find(Query(order="next", after=Position("🐝", at(30))))) == stopped
    assert names(store.find(Query(order="next", after=Position("A", at(30))))) == [
        "d", "🐝", *stopped,
    ]  # fmt: skip


def test_a_place_may_be_where_no_entry_is(store: Store) -> None:
    fill(store)
    assert names(store.find(Query(after=Position("c")))) == ["c*", "d", "e", "f", "ä", "é", "🐝"]
    assert names(store.find(Query(after=Position("\U0010ffff")))) == []
    soon = Query(order="next", after=Position("zzz", at(19)), limit=2)
    assert names(store.find(soon)) == ["ä", "d"]


def test_the_moment_of_a_place_counts_in_the_order_next_only(store: Store) -> None:
    fill(store)
    assert names(store.find(Query(after=Position("e", at(1))))) == ["f", "ä", "é", "🐝"]


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_thousands_are_the_whole_search(store: Store, order: Any) -> None:
    made = [f"{n:04}" for n in range(2_300)]
    put_many(store, made[:1_200], 5)
    put_many(store, made[1_200:], None)
    found = names(walk(store, 900, order=order))
    assert found == made
    assert names(walk(store, 900, order=order, source="cli")) == made


# a text in the name or the task


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a%b", ["A%B", "a%b"]),
        ("%", ["A%B", "a%b"]),
        ("_", ["a_b"]),
        ("\\", ["a\\b"]),
        ("*", ["a*b"]),
        ("?", ["a?b"]),
        ("[b]", ["a[b]"]),
        ("!", ["a!b"]),
        ("ab", ["ab"]),
        ("A", ["A%B", "a!b", "a%b", "a*b", "a?b", "a[b]", "a\\b", "a_b", "ab", "axb"]),
        ("XB", ["axb"]),
        ("ä", ["ä"]),
        ("Ä", ["Ä"]),
        ("ss", []),
        ("k", []),
        ("\u212a", ["\u212a"]),
        ("a.b", []),
        ("^a", []),
        ("a\nb", []),
        ("'", []),
        ("\0", []),
    ],
)
def test_an_entry_is_found_by_a_text_in_its_name(store: Store, text: str, found: list[str]) -> None:
    for name in HARD:
        put(store, name, task="zzz")
    for order in ORDERS:
        assert names(store.find(Query(contains=text, order=order))) == found
    assert len(list(store.find(Query(contains="")))) == len(HARD)


def test_an_entry_is_found_by_a_text_in_its_task(store: Store) -> None:
    put(store, "one", task="proj.mail.Send")
    put(store, "two", task="proj.mail_send")
    put(store, "send", task="proj.tidy")
    put(store, "four", task="proj.ä%b")
    for text, found in (
        ("SEND", ["one", "send", "two"]),
        ("mail.s", ["one"]),
        ("MAIL_S", ["two"]),
        ("ä%B", ["four"]),
        ("Ä", []),
        ("proj.", ["four", "one", "send", "two"]),
        ("two proj", []),
        ("twoproj", []),
    ):
        assert names(store.find(Query(contains=text))) == found, text


def test_a_text_is_one_condition_of_several(store: Store) -> None:
    fill(store)
    put(store, "bee", 1, source="file:a.yaml", task="other.task")
    put(store, "bee 2", None, task="other.task")
    assert names(store.find(Query(contains="BEE", source="file:a.yaml"))) == ["bee"]
    assert names(store.find(Query(contains="other", due_before=at(5)))) == ["bee"]
    assert names(store.find(Query(contains="bee", name_like="*2"))) == ["bee 2"]
    assert names(store.find(Query(contains="proj", task_like="proj.*", paused=True))) == ["e", "é"]
    assert names(store.find(Query(contains="bee", names=("a", "bee 2")))) == ["bee 2"]
    assert names(store.find(Query(contains="e", order="next", limit=1))) == ["bee"]


# paused or not


def test_paused_entries_are_found_apart_from_disabled_ones(store: Store) -> None:
    fill(store)
    stop(store, "f")  # disabled and paused
    put(store, "g", enabled=False)
    assert names(store.find(Query(paused=True))) == ["e", "f", "é"]
    assert names(store.find(Query(paused=True, enabled=False))) == ["e", "f", "é"]
    assert names(store.find(Query(paused=True, enabled=True))) == []
    assert names(store.find(Query(paused=False, enabled=False))) == ["g"]
    assert {"e", "f", "é"}.isdisjoint(names(store.find(Query(paused=False))))
    assert names(store.find(Query(paused=True, names=("a", "e")))) == ["e"]
    assert names(store.find(Query(paused=True, order="next"))) == ["e", "f", "é"]
