"""A server that goes away and comes back: told while away, and used again when it is there."""

import errno
import os
from collections.abc import Iterator
from threading import Event, current_thread

import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import StoreError, StoreUnusable
from beatd.leader import Holder
from beatd.leaders.databases import sql_lease
from beatd.stores.sql import SqlStore
from tests.cable import Cable
from tests.stores.making import NOON, put


@pytest.fixture(params=["postgresql", "mariadb"])
def behind(request: pytest.FixtureRequest) -> Iterator[tuple[Cable, str]]:
    """A cable to a fresh database, and the URL that goes through it."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    place = url.split("@")[1].split("/")[0]
    host, port = place.split(":")
    cable = Cable(host, int(port))
    yield cable, url.replace(place, f"127.0.0.1:{cable.port}")
    cable.pull_out()


def test_a_store_that_is_away_is_told_and_used_again_when_it_is_back(
    behind: tuple[Cable, str],
) -> None:
    cable, url = behind
    store = SqlStore(url, codec=codec)
    put(store)
    cable.pull_out()
    for _ in range(2):
        with pytest.raises(StoreError) as raised:
            store.version()
        assert not isinstance(raised.value, StoreUnusable)
        assert "\n" not in str(raised.value)
    cable.plug_in()
    assert [row.entry.name for row in store.find(Query())] == ["tidy"]
    put(store, "other")
    store.close()


def test_a_connection_that_got_the_last_descriptor_and_cannot_be_waited_for_is_away(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg opens a socket and then a selector, whose OSError it passes on as it is."""
    store, me = SqlStore(postgresql_url, codec=codec), Holder("me", "host", 1, NOON, "me")
    put(store)
    lease = sql_lease(postgresql_url)
    tried, noticed = Event(), Event()
    with monkeypatch.context() as patched:

        def no_selector() -> None:
            if current_thread().name == "beatd-postgresql-watch":
                tried.set()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        patched.setattr("psycopg.waiting.DefaultSelector", no_selector)
        store.watch(noticed.set)
        assert tried.wait(60)
        store._db.engine.dispose()
        with pytest.raises(StoreError, match="Too many open files"):
            store.version()
        with pytest.raises(StoreError, match="Too many open files"):
            lease.take(me, 60.0)
    assert [row.entry.name for row in store.find(Query())] == ["tidy"]
    assert lease.take(me, 60.0) == me
    assert noticed.wait(60)
    lease.close()
    store.close()
