"""The HTTP server of a daemon, whatever its clients do."""

import http.client
import logging
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from errno import EMFILE

import pytest

from beatd.web import http_server
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import CONNECTIONS_MAX, Answer, HttpServer, serve
from tests.daemon.test_service import free_port
from tests.process import PATIENCE
from tests.waiting import until

Open = Callable[[], socket.socket]


class Page:
    """Answers at once, unless it is told to wait."""

    def __init__(self) -> None:
        self.asked, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()
        self.body = b"here\n"

    def answer(self, path: str) -> Answer:
        self.asked.set()
        self.goes_on.wait(PATIENCE)
        if path == "/broken":
            raise ZeroDivisionError("a mistake of ours")
        return 200, "text/plain", self.body


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def server(page: Page) -> Iterator[HttpServer]:
    made = serve("127.0.0.1", free_port(), HttpHosts("127.0.0.1", ["beat.example"]), page)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def connect(server: HttpServer) -> Iterator[Open]:
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.create_connection(server.server_address[:2], timeout=PATIENCE))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def ask(server: HttpServer, path: str = "/status", **headers: str) -> tuple[int, str]:
    host, port = server.server_address[:2]
    client = http.client.HTTPConnection(str(host), port, timeout=PATIENCE)
    client.request("GET", path, headers=headers)
    answer = client.getresponse()
    found = answer.status, answer.read().decode()
    client.close()
    return found


def test_connections_that_say_nothing_do_not_keep_others_out(
    server: HttpServer, connect: Open
) -> None:
    silent = [connect() for _ in range(CONNECTIONS_MAX * 2)]
    assert ask(server) == (200, "here\n")
    assert len(server._opened_at) <= CONNECTIONS_MAX
    assert silent[0].recv(1) == b"", "the oldest were closed"


def test_a_connection_that_lasts_too_long_is_closed(
    server: HttpServer, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "CONNECTION_LIFE_S", 0.0)
    slow = connect()
    slow.sendall(b"GET /stat")
    assert slow.recv(1) == b""
    until(lambda: not server._opened_at, PATIENCE, "nothing is left of it")


def test_without_a_descriptor_it_waits_and_says_so_once(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept, refused = socketserver.TCPServer.get_request, 0
    pauses: list[float | None] = []

    def scarce(self: socketserver.TCPServer) -> object:
        nonlocal refused
        if refused < 5:
            refused += 1
            raise OSError(EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(server._shut_down, "wait", pauses.append)
    monkeypatch.setattr(socketserver.TCPServer, "get_request", scarce)
    with caplog.at_level(logging.ERROR, "beatd"):
        assert ask(server) == (200, "here\n")
    assert pauses == [http_server.PAUSE_AFTER_FAILED_ACCEPT_S] * 5
    assert [r.getMessage() for r in caplog.records] == [
        "http: cannot accept a connection: Too many open files; the beat goes on"
    ]


def test_a_client_that_goes_away_is_no_event(
    server: HttpServer, page: Page, connect: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    page.goes_on.clear()
    page.body = b"x" * 10_000_000
    client = connect()
    client.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert page.asked.wait(PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    page.goes_on.set()
    until(lambda: not server._opened_at, PATIENCE, "its thread has ended")
    assert capfd.readouterr() == ("", "")


def test_a_page_that_fails_is_one_line_and_a_traceback_in_the_log(
    server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "beatd"):
        code, text = ask(server, "/broken")
    assert code == 500 and text.count("\n") == 1
    assert [r.exc_info is not None for r in caplog.records] == [True]


# DNS rebinding


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:9753", "localhost", "LOCALHOST:80", "[::1]:9753", "beat.example", "beat.example."],
)
def test_its_own_names_are_answered(server: HttpServer, host: str) -> None:
    assert ask(server, Host=host) == (200, "here\n")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9753", "10.0.0.1", "127.0.0.1.x"])
@pytest.mark.parametrize("path", ["/status", "/", "/nothing"])
def test_other_names_are_not(server: HttpServer, path: str, host: str) -> None:
    code, text = ask(server, path, Host=host)
    assert code == 421
    assert text == f"{host!r} is not answered; name it in http.hosts\n"


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics"])
def test_probes_and_scrapers_may_call_it_as_they_like(server: HttpServer, path: str) -> None:
    assert ask(server, path, Host="evil.example")[0] == 200


def test_two_host_headers_are_a_bad_request(server: HttpServer, connect: Open) -> None:
    client = connect()
    client.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert client.makefile("rb").readline().split()[1] == b"400"


def test_a_name_with_control_characters_is_not_echoed(server: HttpServer, connect: Open) -> None:
    client = connect()
    client.sendall(b"GET /status HTTP/1.1\r\nHost: \x1b[31m\xff\r\n\r\n")
    assert b"\x1b" not in client.makefile("rb").read()


def test_bound_to_all_addresses_any_address_is_answered_but_no_other_name() -> None:
    hosts = HttpHosts("0.0.0.0", [])
    for answered in ("10.1.2.3:9753", "[fe80::1]", "localhost", socket.gethostname()):
        assert not hosts.refusal([answered])
    assert hosts.refusal(["evil.example"])
    assert not HttpHosts("10.1.2.3").refusal(["10.1.2.3:9753"])
    assert HttpHosts("10.1.2.3").refusal(["10.1.2.4"])
