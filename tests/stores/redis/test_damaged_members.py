"""Keys of a Redis store, other than the rows of entries, that another program wrote."""

from typing import Any

import pytest

from beatd.incident import Incident
from tests.stores.making import at, put
from tests.stores.places import redis

pytestmark = pytest.mark.parametrize("place", [redis], indirect=True)


@pytest.mark.parametrize("member", [b"", b"nobody", b"1772366405000000:failed", b"\xff"])
def test_a_damaged_id_of_an_incident_hides_no_other(store: Any, member: bytes) -> None:
    incident = Incident(kind="failed", name="tidy", opened=at(5), revision=1, threshold="1")
    assert store.put_incidents([incident]) == [True]
    store._server.client.zadd(store._scripts.key("incidents_opened"), {member: 1e16})
    assert [found.name for found in store.incidents("tidy", None)] == ["tidy"]
    assert [found.name for found in store.incidents(None, None)] == ["tidy"]


def test_a_damaged_version_differs_from_the_one_before_it(store: Any) -> None:
    put(store)
    before = store.version()
    store._server.client.set(store._scripts.key("version"), b"\xff")
    assert store.version() != before


def test_a_damaged_owner_leaves_missing_parts_to_be_found(store: Any) -> None:
    put(store)
    client, key = store._server.client, store._scripts.key
    client.sadd(key("sources"), b"\xff")
    client.hset(key("rows"), b"half an entry", b"damaged")
    assert [part.name for part in store.missing_parts(10, whole=True)] == ["half an entry"]
