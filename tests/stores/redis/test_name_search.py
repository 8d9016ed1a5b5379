"""A search in Redis goes other ways to few names and to many, and finds the same."""

from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Query
from beatd.stores.redis import RedisStore, name_search
from tests.stores.changing import pause_of, stop
from tests.stores.making import at, names, put
from tests.stores.test_entry_pages import position_of, walk


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    for number in range(24):
        source, task = ("x", "y", "cli")[number % 3], f"proj.Job{number % 4}"
        name, due = f"{'ab'[number % 2]}-{number * 7 % 24:02}", None if number % 5 == 4 else -number
        put(own_store, name, due, source=source, task=task, enabled=number % 6 != 3)
        if number % 7 == 2:
            stop(own_store, name, pause_of(number))
    return own_store


@pytest.mark.parametrize("many", [1, 100_000])
@pytest.mark.parametrize("order", ["name", "next"])
def test_each_page_is_a_part_of_the_whole(
    store: RedisStore, order: Any, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_search, "NAMES_SORTED_BY_DUE", many)
    monkeypatch.setattr(name_search, "NAMES_SORTED_BY_NAME", many)
    monkeypatch.setattr(name_search, "PAGE", 4)
    every = list(store.find(Query(order=order)))
    sorts = {"name": lambda row: row.entry.name, "next": lambda row: (
        row.plan.due is None, row.plan.due or at(0), row.entry.name
    )}  # fmt: skip
    assert every == sorted(every, key=sorts[order]) and len(every) == 24
    for name_like, source, due_before, enabled, paused, contains in product(
        (None, "a-*"), (None, "x"), (None, at(-8)), (None, False), (None, True, False), (None, "b1")
    ):
        asked = Query(
            name_like=name_like,
            source=source,
            due_before=due_before,
            enabled=enabled,
            paused=paused,
            contains=contains,
            order=order,
        )
        found = list(store.find(asked))
        conditions: dict[str, Any] = {key: getattr(asked, key) for key in asked.__struct_fields__}
        for key in ("limit", "after"):
            del conditions[key]
        assert list(walk(store, 3, **conditions)) == found
        for row in every:
            place = position_of(row)
            behind = every[every.index(row) + 1 :]
            rest = [one for one in found if one in behind]
            assert list(store.find(replace(asked, after=place))) == rest


def test_only_entries_that_may_match_are_decoded(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    streamed = store._reader.streamed
    monkeypatch.setattr(
        store._reader, "streamed", lambda name, *more: (read.append(name), streamed(name, *more))[1]
    )
    assert names(store.find(Query(contains="A-14"))) == read == ["a-14"]
    read.clear()
    assert names(store.find(Query(contains="every"))) == read == []


def test_a_text_that_no_name_can_have_is_in_none(store: RedisStore) -> None:
    assert names(store.find(Query(contains="\udcff"))) == []
