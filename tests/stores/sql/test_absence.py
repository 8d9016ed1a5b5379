"""A server that goes away and comes back: told while away, and used again when it is there."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import StoreError, StoreUnusable
from beatd.leader import Holder
from beatd.leaders.sql import sql_lease
from beatd.stores.sql import SqlStore
from tests.stores.making import NOON, put


class Cable:
    """A port that leads to the server while it is plugged in."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._ends: list[socket.socket] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._door: socket.socket | None = None
        self.plug_in()

    def plug_in(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._admit, args=(self._door,), daemon=True).start()

    def pull_out(self) -> None:
        assert self._door is not None
        for end in (self._door, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _admit(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.create_connection(self._server)
                self._ends += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


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


def test_a_lease_that_is_away_is_doubt_and_taken_again_when_it_is_back(
    behind: tuple[Cable, str],
) -> None:
    cable, url = behind
    me = Holder("me", "host", 1, NOON, "me")
    lease = sql_lease(url)
    assert lease.take(me, 60.0) == me
    cable.pull_out()
    for _ in range(2):
        with pytest.raises(StoreError):
            lease.take(me, 60.0)
    cable.plug_in()
    assert lease.take(me, 60.0) == me
    lease.close()
