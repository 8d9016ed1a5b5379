"""Servers and connections that end with the test."""

import socket
from collections.abc import Callable, Iterator

import pytest

from beatd.web.http_server import HttpServer
from tests.web.site import connected, serving

Serve = Callable[..., HttpServer]
Connect = Callable[[HttpServer], socket.socket]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server as `serving` does, or take the one given."""
    made: list[HttpServer] = []

    def start(*args: object, **more: object) -> HttpServer:
        given = args[0] if args and isinstance(args[0], HttpServer) else serving(*args, **more)
        made.append(given)
        return given

    yield start
    for one in made:
        one.close()


@pytest.fixture
def server(serve: Serve) -> HttpServer:
    return serve(hosts=["beat.example"])


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[socket.socket] = []

    def open_one(server: HttpServer) -> socket.socket:
        opened.append(connected(server))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
