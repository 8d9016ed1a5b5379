"""Keys of a Redis store that can be made again from others, and are."""

from typing import Any

import pytest

from beatd.catalog import Query
from tests.stores.making import names, put, put_many
from tests.stores.places import redis

pytestmark = pytest.mark.parametrize("place", [redis], indirect=True)


@pytest.mark.parametrize("lost", ["plan", "names:cli", "sources"])
def test_a_lost_index_is_made_again_from_the_rows(store: Any, lost: str) -> None:
    put_many(store, ["a", "b"], planned=5)
    put(store, "off", planned=5, enabled=False)
    upcoming, found = store.upcoming(10), list(store.find(Query()))
    store._server.client.delete(store._scripts.key(lost))
    assert store.problems()
    assert store.missing_parts(10, whole=False) == []
    assert (store.upcoming(10), list(store.find(Query()))) == (upcoming, found)
    assert names(store.find(Query(order="next"))) == ["a", "b", "off"]
    assert store.problems() == []


def test_an_index_forgets_what_is_gone(store: Any) -> None:
    put_many(store, ["a", "b"])
    client, key = store._server.client, store._scripts.key
    client.delete(key("rows"), key("entries"))
    put(store, "c")
    assert store.missing_parts(10, whole=False) == []
    assert client.zcard(key("plan")) == client.zcard(key("names:cli")) == 1
