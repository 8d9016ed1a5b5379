"""What the tests' own cable does to a connection, before anybody believes a test with one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.cable import Cable

DELAY_S = 0.1


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that returns what it is sent."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                end, _ = server.accept()
                threading.Thread(target=reply, args=(end,), daemon=True).start()

    def reply(end: socket.socket) -> None:
        with end, suppress(OSError):
            while data := end.recv(1024):
                end.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def round_trip(cable: Cable) -> float:
    """Return how many seconds an echo took."""
    with socket.create_connection(("127.0.0.1", cable.port), timeout=60) as client:
        began = time.monotonic()
        client.sendall(b"hello")
        assert client.recv(1024) == b"hello"
        return time.monotonic() - began


def test_each_direction_is_delayed_by_its_own_time(echo: int) -> None:
    cable = Cable("127.0.0.1", echo)
    cable.there = DELAY_S
    assert round_trip(cable) >= DELAY_S
    cable.back = 2 * DELAY_S
    assert round_trip(cable) >= 3 * DELAY_S


def test_a_connection_ends_when_the_cable_is_pulled_out(echo: int) -> None:
    cable = Cable("127.0.0.1", echo)
    with socket.create_connection(("127.0.0.1", cable.port), timeout=60) as client:
        client.sendall(b"hello")
        assert client.recv(1024) == b"hello"
        cable.pull_out()
        assert client.recv(1024) == b""
    with pytest.raises(ConnectionRefusedError):
        round_trip(cable)
    cable.plug_in()
    round_trip(cable)


def test_a_server_that_is_away_and_comes_back_is_reached_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
    cable = Cable("127.0.0.1", port)
    with socket.create_connection(("127.0.0.1", cable.port), timeout=60) as client:
        assert client.recv(1024) == b""
    with (
        socket.create_server(("127.0.0.1", port)) as again,
        socket.create_connection(("127.0.0.1", cable.port), timeout=60) as client,
    ):
        there, _ = again.accept()
        there.sendall(b"back")
        there.close()
        assert client.recv(1024) == b"back"


def test_a_mute_cable_takes_data_and_connections_and_delivers_nothing(echo: int) -> None:
    cable = Cable("127.0.0.1", echo)
    with socket.create_connection(("127.0.0.1", cable.port), timeout=60) as before:
        before.sendall(b"hello")
        assert before.recv(1024) == b"hello"
        cable.mute = True
        with socket.create_connection(("127.0.0.1", cable.port), timeout=60) as new:
            for client in (before, new):
                client.sendall(b"hello")
                client.settimeout(0.05)
                with pytest.raises(TimeoutError):
                    client.recv(1024)
    cable.mute = False
    round_trip(cable)
