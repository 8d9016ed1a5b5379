"""Which requests the handlers get: DNS rebinding, CSRF, large requests, and who may what."""

import logging
import socket

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from beatd.web.application import application
from beatd.web.gate import BODY_BYTES_MAX
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import HttpServer
from beatd.web.security_headers import CONTENT_SECURITY_POLICY
from beatd.web.visitor import author_of, needs
from tests.web.conftest import Connect, Serve
from tests.web.site import SECRETS, TOKENS, ask, said_by, site_with, visitors

SAME = "same-origin"


@needs("operator")
def pause(request: Request) -> Response:
    return PlainTextResponse(author_of(request, "api", "why").name)


@needs("editor")
def edit(request: Request) -> Response:
    return PlainTextResponse(request.state.body)


def fail(request: Request) -> Response:
    raise ZeroDivisionError("a mistake of ours")


def without_store(request: Request) -> Response:
    request.app.state.site.open_store()
    return Response()


ROUTES = [
    Route("/api/v1/pause", pause, methods=["POST"]),
    Route("/api/v1/edit", edit, methods=["PUT"]),
    Route("/api/v1/broken", fail),
    Route("/broken", fail),
    Route("/api/v1/away", without_store),
    Route("/away", without_store),
]


@pytest.fixture
def open_server(serve: Serve) -> HttpServer:
    return serve(ROUTES, hosts=["beat.example"])


@pytest.fixture
def guarded(serve: Serve) -> HttpServer:
    return serve(ROUTES, visitors(TOKENS))


# DNS rebinding


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}", "127.0.0.1", "localhost", "LOCALHOST:{port}", "[::1]:{port}", "[::1]",
        "localhost.", "beat.example", "beat.example.", "Beat.Example:8443",
    ],
)  # fmt: skip
def test_its_own_names_are_answered(open_server: HttpServer, host: str) -> None:
    assert ask(open_server, Host=host.format(port=open_server.address[1])).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "10.0.0.1", "127.0.0.1.x", "localhost:1",
        "127.0.0.1:80", "[::1]:80", "", "localhost:x", "[::1", "localhost@evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/status", "/", "/nothing", "/api/v1/x", "/sign-in"])
def test_other_names_are_not(open_server: HttpServer, path: str, host: str) -> None:
    host = host.format(port=open_server.address[1])
    answer = ask(open_server, path, Host=host)
    assert answer.status == 421
    assert answer.text == f"{host!r} is not answered; name it in http.hosts\n"


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics"])
def test_probes_and_scrapers_may_call_it_as_they_like(open_server: HttpServer, path: str) -> None:
    assert ask(open_server, path, Host="evil.example").status == 200
    assert ask(open_server, f"{path}?x", "HEAD", Host="evil.example").text == ""
    assert ask(open_server, path, "POST", Host="evil.example").status == 421


def test_two_host_headers_are_a_bad_request(open_server: HttpServer, connect: Connect) -> None:
    client = connect(open_server)
    client.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert client.makefile("rb").readline().split()[1] == b"400"


def test_a_name_with_control_characters_is_not_echoed(
    open_server: HttpServer, connect: Connect
) -> None:
    client = connect(open_server)
    client.sendall(b"GET /status HTTP/1.1\r\nHost: \x1b[31m\xff\r\nConnection: close\r\n\r\n")
    assert b"\x1b" not in said_by(client)


def test_bound_to_all_addresses_any_address_is_answered_but_no_other_name() -> None:
    hosts = HttpHosts("0.0.0.0", 9753)
    for answered in ("10.1.2.3:9753", "[fe80::1]", "localhost", socket.gethostname()):
        assert not hosts.refusal([answered])
    assert hosts.refusal(["evil.example"]) and hosts.refusal(["10.1.2.3:80"])
    assert not HttpHosts("10.1.2.3", 9753).refusal(["10.1.2.3:9753"])
    assert HttpHosts("10.1.2.3", 9753).refusal(["10.1.2.4"])


# CSRF


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://127.0.0.1:{port}"}, True),
        ({}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:{port}"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "https://127.0.0.1:{port}"}, False),
        ({"Origin": "null"}, False),
        ({"Referer": "http://127.0.0.1:{port}/"}, False),
    ],
)
def test_a_form_must_come_from_a_page_of_this_server(
    guarded: HttpServer, headers: dict[str, str], passes: bool
) -> None:
    port = guarded.address[1]
    cookie = signed_in(guarded, "otto")
    sent = {name: value.format(port=port) for name, value in headers.items()}
    answer = ask(guarded, "/api/v1/pause", "POST", cookie=cookie, headers=sent)
    assert answer.status == (200 if passes else 403)


def test_a_bearer_token_needs_no_origin(guarded: HttpServer) -> None:
    sent = {"Sec-Fetch-Site": "cross-site"}
    answer = ask(guarded, "/api/v1/pause", "POST", token=SECRETS["otto"], headers=sent)
    assert (answer.status, answer.text) == (200, "otto (token)")


def test_no_answer_allows_another_origin(guarded: HttpServer) -> None:
    sent = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "GET", "POST"):
        answer = ask(guarded, "/api/v1/pause", method, token=SECRETS["otto"], headers=sent)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def signed_in(server: HttpServer, name: str) -> str:
    """Return the value of the cookie of a person who has signed in."""
    answer = ask(
        server, "/sign-in", "POST", body=f"token={SECRETS[name]}", headers={"Sec-Fetch-Site": SAME}
    )
    assert answer.status == 303
    return answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


# Roles


@pytest.mark.parametrize(
    ("name", "may"),
    [("vera", (False, False)), ("otto", (True, False)), ("edna", (True, True))],
)
def test_a_role_may_what_the_roles_below_it_may(
    guarded: HttpServer, name: str, may: tuple[bool, bool]
) -> None:
    token = SECRETS[name]
    assert ask(guarded, "/status", token=token).status == 200
    found = (
        ask(guarded, "/api/v1/pause", "POST", token=token).status,
        ask(guarded, "/api/v1/edit", "PUT", token=token).status,
    )
    assert found == tuple(200 if one else 403 for one in may)


def test_a_refusal_names_the_role_that_is_needed(guarded: HttpServer) -> None:
    answer = ask(guarded, "/api/v1/edit", "PUT", token=SECRETS["otto"])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "this needs the role editor; otto is a operator" not in answer.text
    assert "this needs the role editor; otto is operator" in answer.text


def test_without_tokens_everybody_here_reads_and_nobody_writes(open_server: HttpServer) -> None:
    assert ask(open_server, "/status").status == 200
    answer = ask(open_server, "/api/v1/pause", "POST", headers={"Sec-Fetch-Site": SAME})
    assert answer.status == 403 and "nobody signed in" in answer.text


def test_beyond_loopback_without_tokens_only_probes_are_answered(serve: Serve) -> None:
    server = serve(ROUTES, visitors(only_here=False))
    assert [ask(server, path).status for path in ("/live", "/ready", "/metrics")] == [200] * 3
    assert [ask(server, p).status for p in ("/status", "/api/v1/broken", "/x")] == [401, 401, 303]


def test_a_program_that_forgot_its_token_is_told_so(guarded: HttpServer) -> None:
    answer = ask(guarded, "/api/v1/pause", "POST")
    assert answer.status == 401
    assert "a token is needed" in answer.text


def test_where_nobody_can_sign_in_a_change_is_told_why(open_server: HttpServer) -> None:
    answer = ask(open_server, "/api/v1/pause", "POST")
    assert answer.status == 403
    assert "this server only reads: its configuration has no http.tokens" in answer.text


def test_every_401_has_the_same_bytes(guarded: HttpServer) -> None:
    found = {
        (ask(guarded, path, token=token, cookie=cookie).text, status)
        for path in ("/status", "/api/v1/pause", "/api/v1/nothing")
        for token, cookie in ((None, None), ("wrong", None), (None, "vera|1|x|y"))
        if (status := ask(guarded, path, token=token, cookie=cookie).status)
    }
    assert len(found) == 1 and found.pop()[1] == 401


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/", "/sign-in"),
        ("/entries", "/sign-in?next=/entries"),
        ("/entries?q=a%20b&x", "/sign-in?next=/entries%3Fq%3Da%2520b%26x"),
        ("//evil.example/x", "/sign-in"),
    ],
)
def test_a_person_is_led_to_the_form_and_back(
    guarded: HttpServer, path: str, location: str
) -> None:
    answer = ask(guarded, path)
    assert (answer.status, answer.headers["Location"]) == (303, location)


def test_a_handler_that_writes_names_the_role_it_needs() -> None:
    """Whatever is added to the API or the pages."""
    made = application(site_with(), HttpHosts("127.0.0.1", 1), visitors())
    free = {"/sign-in", "/sign-out"}
    routes = [route for route in made.inner.routes if isinstance(route, Route)]
    assert len(routes) == len(made.inner.routes), "no other kind of route escapes this test"
    unnamed = [
        route.path
        for route in routes
        if (route.methods is None or route.methods & {"POST", "PUT", "PATCH", "DELETE"})
        and route.path not in free
        and not hasattr(route.endpoint, "needs")
    ]
    assert unnamed == []


# Large requests


def test_a_body_that_is_too_large_is_not_read(guarded: HttpServer, connect: Connect) -> None:
    client = connect(guarded)
    client.sendall(
        f"PUT /api/v1/edit HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRETS['edna']}"
        f"\r\nContent-Length: {BODY_BYTES_MAX + 1}\r\n\r\n".encode()
    )
    answer = said_by(client)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"at most 1048576 bytes" in answer


def test_a_body_in_chunks_is_read_up_to_the_limit(guarded: HttpServer, connect: Connect) -> None:
    client = connect(guarded)
    client.sendall(
        f"PUT /api/v1/edit HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRETS['edna']}"
        "\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    chunk = b"x" * (BODY_BYTES_MAX // 16)
    for _ in range(16):
        client.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    client.sendall(b"1\r\nx\r\n")
    assert client.recv(13) == b"HTTP/1.1 413 "


def test_a_body_at_the_limit_is_given_to_the_handler(guarded: HttpServer) -> None:
    body = b"x" * BODY_BYTES_MAX
    answer = ask(guarded, "/api/v1/edit", "PUT", token=SECRETS["edna"], body=body)
    assert answer.status == 200 and len(answer.text) == BODY_BYTES_MAX


def test_headers_that_are_too_large_are_refused(open_server: HttpServer) -> None:
    assert ask(open_server, headers={"X": "x" * 15_000}).status == 200
    assert ask(open_server, headers={"X": "x" * 17_000}).status == 431
    assert ask(open_server, "/status?" + "x" * 17_000).status == 431


# The form of answers


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nothing", "GET", 404),
        ("/api/v1/nothing", "GET", 404),
        ("/live/", "GET", 404),
        ("/static/../site.py", "GET", 404),
        ("/static/%2e%2e/site.py", "GET", 404),
        ("/static//etc/passwd", "GET", 404),
        ("/api/v1/pause", "GET", 405),
        ("/status", "POST", 405),
        ("/broken", "GET", 500),
        ("/api/v1/broken", "GET", 500),
        ("/away", "GET", 503),
        ("/api/v1/away", "GET", 503),
        ("/sign-in", "GET", 200),
        ("/live", "GET", 200),
        ("/metrics", "GET", 200),
        ("/static/style.css", "GET", 200),
    ],
)
def test_every_answer_is_in_the_form_of_its_caller(
    open_server: HttpServer, path: str, method: str, status: int
) -> None:
    answer = ask(open_server, path, method, headers={"Sec-Fetch-Site": SAME})
    assert answer.status == status
    if status >= 400:
        programs = path.startswith(("/api/", "/status"))
        kind = "application/problem+json" if programs else "text/html; charset=utf-8"
        assert answer.headers["Content-Type"] == kind
        assert "Traceback" not in answer.text and "mistake" not in answer.text
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == ("no-cache" if "css" in path else "no-store")
    assert answer.headers["Server"] is None and answer.headers["Date"] is None


def test_a_handler_that_fails_is_one_line_and_a_traceback_in_the_log(
    open_server: HttpServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.ERROR, "beatd"):
        assert ask(open_server, "/broken").status == 500
    assert [r.getMessage() for r in caplog.records] == ["http: GET /broken failed"]
    assert caplog.records[0].exc_info is not None
    assert capfd.readouterr() == ("", "")


def test_a_name_with_markup_is_escaped(open_server: HttpServer) -> None:
    answer = ask(open_server, "/sign-in?next=/%22%3E%3Cscript%3E")
    assert "<script>" not in answer.text


def test_a_static_file_is_kept_until_it_changes(open_server: HttpServer) -> None:
    page = ask(open_server, "/sign-in").text
    url = page.partition('href="')[2].partition('"')[0]
    file = ask(open_server, url)
    assert "immutable" in file.headers["Cache-Control"]
    again = ask(open_server, "/static/style.css", If_None_Match=file.headers["ETag"])
    assert (again.status, again.text) == (304, "")
