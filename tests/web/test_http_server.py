"""The HTTP server of a daemon, whatever its clients do."""

import logging
import socket
import struct
import threading
import time
from errno import EMFILE

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from beatd.errors import BeatError
from beatd.web import http_protocol, http_server
from beatd.web.give_way import REQUESTS_AT_ONCE
from beatd.web.http_server import CONNECTIONS_MAX, HttpServer
from tests.process import PATIENCE
from tests.waiting import until
from tests.web.conftest import Connect, Serve
from tests.web.site import ask, bare, said_by

GET = b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Slow:
    """A handler that waits until it is told to go on, and counts who waits."""

    def __init__(self, body: bytes = b"here\n") -> None:
        self.asked, self.goes_on = threading.Semaphore(0), threading.Event()
        self.body = body

    def __call__(self, request: Request) -> Response:
        self.asked.release()
        assert self.goes_on.wait(PATIENCE)
        return PlainTextResponse(self.body)

    def route(self) -> Route:
        return Route("/slow", lambda request: self(request))


# Its address


def test_a_port_in_use_is_an_error_that_names_it(server: HttpServer) -> None:
    port = server.address[1]
    with pytest.raises(BeatError, match=rf"http.bind: cannot listen on 127.0.0.1:{port}: .*in use"):
        HttpServer("127.0.0.1", port, lambda *_: None)


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(BeatError, match=r"cannot listen on 192\.0\.2\.1:0"):
        HttpServer("192.0.2.1", 0, lambda *_: None)


def test_it_serves_ipv6(serve: Serve) -> None:
    assert ask(serve(host="::1")).status == 200


def test_a_closed_server_leaves_its_port_to_the_next(server: HttpServer) -> None:
    assert ask(server).status == 200
    server.close()
    again = HttpServer("127.0.0.1", server.address[1], lambda *_: None)
    again.close()


# The number of connections


def test_connections_that_say_nothing_do_not_keep_others_out(
    server: HttpServer, connect: Connect
) -> None:
    silent = [connect(server) for _ in range(CONNECTIONS_MAX * 2)]
    assert ask(server, "/live").status == 200
    assert server.connections <= CONNECTIONS_MAX
    assert silent[0].recv(1) == b"", "the oldest were closed"


def test_a_probe_is_answered_while_every_thread_waits(serve: Serve, connect: Connect) -> None:
    slow = Slow()
    server = serve([slow.route()])
    for _ in range(REQUESTS_AT_ONCE + 2):
        connect(server).sendall(GET.replace(b"/status", b"/slow"))
    for _ in range(REQUESTS_AT_ONCE):
        assert slow.asked.acquire(timeout=PATIENCE)
    assert [ask(server, path).status for path in ("/live", "/ready", "/metrics")] == [200] * 3
    assert not slow.asked.acquire(blocking=False), "the others wait for a thread"
    slow.goes_on.set()


# Slow clients


def test_half_a_request_is_ended(
    server: HttpServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_TIMEOUT_S", 0.1)
    client = connect(server)
    client.sendall(b"GET /stat")
    assert client.recv(1) == b""
    until(lambda: not server.connections, PATIENCE, "nothing is left of it")


def test_a_client_that_sends_a_byte_now_and_then_is_ended_as_well(
    server: HttpServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_TIMEOUT_S", 0.2)
    client = connect(server)
    client.settimeout(0.01)

    def ended() -> bool:
        try:
            client.sendall(b"x")
            return client.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    until(ended, PATIENCE, "the server ends it")


def test_half_a_body_is_ended(
    server: HttpServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_TIMEOUT_S", 0.1)
    client = connect(server)
    client.sendall(
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
        b"Content-Length: 100\r\n\r\ntoken="
    )
    assert said_by(client) == b""


def test_half_of_a_second_request_is_ended(
    server: HttpServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_TIMEOUT_S", 0.1)
    client = connect(server)
    client.sendall(GET + b"GET /sta")
    assert said_by(client).count(b"200 OK") == 1


def test_an_idle_connection_is_ended(
    server: HttpServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "IDLE_TIMEOUT_S", 0.1)
    client = connect(server)
    client.sendall(GET)
    assert b"200 OK" in said_by(client)


def test_a_connection_takes_several_requests(server: HttpServer, connect: Connect) -> None:
    client = connect(server)
    client.sendall(GET + GET)
    client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert said_by(client).count(b"200 OK") == 3


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head(
    server: HttpServer, connect: Connect
) -> None:
    client = connect(server)
    client.sendall(GET)
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    (opened,) = server._opened
    assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_handler_may_take_longer_than_a_client(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REQUEST_TIMEOUT_S", 0.1)
    slow = Slow()
    server = serve([slow.route()])
    client = connect(server)
    client.sendall(GET.replace(b"/status", b"/slow"))
    assert slow.asked.acquire(timeout=PATIENCE)
    silent = connect(server)
    assert silent.recv(1) == b"", "the limit of a client has passed"
    slow.goes_on.set()
    assert client.recv(15) == b"HTTP/1.1 200 OK"


def test_an_answer_that_nobody_reads_is_ended(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "IDLE_TIMEOUT_S", 0.1)
    slow = Slow(b"x" * 50_000_000)
    slow.goes_on.set()
    server = serve([slow.route()])
    connect(server).sendall(GET.replace(b"/status", b"/slow"))
    assert slow.asked.acquire(timeout=PATIENCE)
    until(lambda: not server.connections, PATIENCE, "the connection has ended")


# Failures


def test_without_a_descriptor_it_waits_and_says_so_once(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept, refused = server._accept, 0
    pauses: list[float] = []

    async def scarce() -> socket.socket:
        nonlocal refused
        if refused < 5:
            refused += 1
            raise OSError(EMFILE, "Too many open files")
        return await accept()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(server, "_pause", pause)
    monkeypatch.setattr(server, "_accept", scarce)
    with caplog.at_level(logging.ERROR, "beatd"):
        assert ask(server).status == 200  # accepted before
        assert ask(server).status == 200
    assert pauses == [http_server.PAUSE_AFTER_FAILED_ACCEPT_S] * 5
    assert [r.getMessage() for r in caplog.records] == [
        "http: cannot accept a connection: Too many open files; the beat goes on"
    ]


def test_a_client_that_goes_away_is_no_event(
    serve: Serve, connect: Connect, capfd: pytest.CaptureFixture[str], caplog
) -> None:
    slow = Slow(b"x" * 10_000_000)
    server = serve([slow.route()])
    client = connect(server)
    client.sendall(GET.replace(b"/status", b"/slow"))
    assert slow.asked.acquire(timeout=PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    slow.goes_on.set()
    until(lambda: not server.connections, PATIENCE, "its connection has ended")
    assert capfd.readouterr() == ("", "") and not caplog.records


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"GET / HTTP/1.1\r\nHost: a b\x00c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without Host
    ],
)
def test_what_is_no_request_gets_400_and_is_no_event(
    server: HttpServer, connect: Connect, sent: bytes, capfd: pytest.CaptureFixture[str], caplog
) -> None:
    client = connect(server)
    client.sendall(sent)
    answer = said_by(client)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"nosniff" in answer
    assert capfd.readouterr() == ("", "") and not caplog.records
    assert ask(server).status == 200


def test_a_request_for_a_websocket_is_an_ordinary_one(
    server: HttpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert ask(server, headers=upgrade).status == 200
    assert capfd.readouterr() == ("", "")


# Closing


def test_it_closes_at_once_with_connections_open(serve: Serve, connect: Connect) -> None:
    slow = Slow()
    server = serve([slow.route()])
    alive, half, busy = (connect(server) for _ in range(3))
    alive.sendall(GET)
    assert alive.recv(15) == b"HTTP/1.1 200 OK"
    half.sendall(b"GET /st")
    busy.sendall(GET.replace(b"/status", b"/slow"))
    assert slow.asked.acquire(timeout=PATIENCE)
    began = time.monotonic()
    server.close()
    took = time.monotonic() - began
    slow.goes_on.set()
    assert took < 1
    assert not server._thread.is_alive()
    assert half.recv(1) == b"" and busy.recv(1) == b""
    server.close()


def test_an_answer_on_its_way_is_sent_before_it_closes(serve: Serve, connect: Connect) -> None:
    slow = Slow()
    server = serve([slow.route()])
    client = connect(server)
    client.sendall(GET.replace(b"/status", b"/slow"))
    assert slow.asked.acquire(timeout=PATIENCE)
    closing = threading.Thread(target=server.close)
    closing.start()
    until(server._stop.is_set, PATIENCE, "it closes")
    slow.goes_on.set()
    closing.join()
    assert b"200 OK" in said_by(client)


def test_no_thread_is_left(serve: Serve) -> None:
    before = set(threading.enumerate())
    slow = Slow()
    slow.goes_on.set()
    server = serve([slow.route()])
    assert ask(server, "/slow").status == 200
    assert {one.name for one in set(threading.enumerate()) - before} >= {"beatd web"}
    server.close()
    until(lambda: set(threading.enumerate()) <= before, PATIENCE, "its threads have ended")


def test_an_application_that_fails_gets_500(serve: Serve) -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise ZeroDivisionError

    assert ask(serve(bare(broken))).status == 500
