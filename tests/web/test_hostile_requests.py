"""Requests that are made to take time, to fill the log, or to pass for somebody else."""

import http.cookies
import json
import logging
import ssl

import pytest

from beatd.config.tls_files import tls_context
from beatd.definition import check
from beatd.definition.check import HINTS_MAX
from beatd.web.api.refusal import MISTAKES_MAX
from beatd.web.http_server import HttpServer
from beatd.web.session import COOKIE, SECURE_COOKIE, session_in, session_value
from beatd.web.sign_in import FIELDS_MAX
from tests.web.conftest import Connect, Serve
from tests.web.pages.conftest import Shown, shown  # noqa: F401
from tests.web.site import SECRETS, TOKENS, ask, said_by, visitors

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def server(serve: Serve) -> HttpServer:
    return serve(who=visitors(TOKENS))


def value_of(name: str) -> str:
    token = TOKENS.named(name)
    assert token is not None
    return session_value(token)


# What a stranger sends leaves no line in the log, which would grow without end


@pytest.mark.parametrize("body", ["a=1&" * FIELDS_MAX, "token=%00", "token=\x00", "&" * 900_000])
def test_a_form_that_cannot_be_read_is_a_bad_request(
    server: HttpServer, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    answer = ask(server, "/sign-in", "POST", body=body, headers=SAME)
    assert answer.status == 400 and "form has" in answer.text
    assert not caplog.records


@pytest.mark.parametrize(
    "request_line",
    ["GET [x", "GET /[", "GET ?", "GET #", "GET %", "GET /%", "GET /%ff", "OPTIONS *", "GET http:"],
)
@pytest.mark.parametrize("host", ["localhost", "[::1]x", "[localhost]", "[1.2.3.4]", "[::1", "@"])
def test_a_target_or_a_host_that_is_no_address_is_no_mistake_of_ours(
    server: HttpServer,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    request_line: str,
    host: str,
) -> None:
    client = connect(server)
    with caplog.at_level(logging.INFO):
        client.sendall(
            f"{request_line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        status = int(said_by(client).split()[1])
    assert status in (303, 400, 404, 421) and not caplog.records


# What takes time


def test_a_cookie_is_not_unquoted(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes half a second for 15,000 backslashes: CVE-2024-7592."""
    monkeypatch.setattr(http.cookies, "_unquote", lambda text: 1 / 0)
    quoted = '"' + "\\" * 15_000 + '"'
    assert ask(server, headers={"Cookie": f"{COOKIE}={quoted}"}).status == 401


def test_only_some_of_many_unknown_keys_get_a_hint() -> None:
    texts = [one.text for one in check("x", {f"task{n}": 1 for n in range(10_000)}).problems]
    assert sum("is not a key of an entry" in one for one in texts) == 10_000
    assert sum("did you mean task?" in one for one in texts) == HINTS_MAX


def test_an_answer_lists_some_of_many_mistakes(shown: Shown) -> None:  # noqa: F811
    body = json.dumps({f"k{number}": {} for number in range(5_000)})
    token, kind = SECRETS["edna"], {"Content-Type": "application/json"}
    for path, sent in (
        ("/api/v1/bulk", body),
        ("/api/v1/apply", f'{{"name": "x", "entries": {body}}}'),
    ):
        answer = ask(shown.server, path, "POST", token=token, body=sent, headers=kind)
        assert answer.status == 422 and answer.text.count('"pointer"') == MISTAKES_MAX
        assert " more problems)" in answer.text


# What a page cannot show


@pytest.mark.parametrize(
    "path",
    [
        "/entries/a%00",
        "/badge/%00.svg",
        "/entries?q=%00",
        "/history?entry=a%00",
        "/changes/%00/undo",
    ],
)
def test_a_zero_byte_in_an_address_is_a_bad_request(shown: Shown, path: str) -> None:  # noqa: F811
    """PostgreSQL refuses it."""
    answer = shown.get(path, "edna")
    assert answer.status == 400 and "zero byte" in answer.text


def test_an_unknown_kind_of_schedule_shows_the_form_again(shown: Shown) -> None:  # noqa: F811
    answer = shown.post("/new", "edna", [("kind", "evil"), ("step", "save"), ("name", "x")])
    assert answer.status == 400 and "New entry" in answer.text


# Cookies of another server with a name or an address like this one's


def test_two_cookies_are_nobody(server: HttpServer) -> None:
    mine, other = value_of("edna"), value_of("vera")
    assert ask(server, cookie=mine).status == 200
    for both in (f"{COOKIE}={other}; {COOKIE}={mine}", f"{COOKIE}={mine}; {COOKIE}={mine}"):
        assert ask(server, headers={"Cookie": both}).status == 401


@pytest.mark.parametrize(
    ("headers", "plain", "encrypted"),
    [
        (["beatd_session=a"], "a", ""),
        (["__Host-beatd_session=b"], "b", "b"),
        (["beatd_session=a; __Host-beatd_session=b"], "b", "b"),
        (["__Host-beatd_session=b", "beatd_session=a"], "b", "b"),
        (["beatd_session=a; beatd_session=c; __Host-beatd_session=b"], "b", "b"),
        (["__Host-beatd_session=b; __Host-beatd_session=c; beatd_session=a"], "", ""),
        (["beatd_session=a", "beatd_session=c"], "", ""),
        (["x=1;beatd_session=a=b;y"], "a=b", ""),
        (["xbeatd_session=a; beatd_session"], "", ""),
        (["Beatd_Session=a", ";;;", "="], "", ""),
        ([], "", ""),
    ],
)
def test_the_cookie_that_counts(headers: list[str], plain: str, encrypted: str) -> None:
    assert session_in(headers, encrypted=False) == plain
    assert session_in(headers, encrypted=True) == encrypted


def test_over_tls_a_cookie_without_the_prefix_is_nobody(
    serve: Serve, certificate: tuple[str, str]
) -> None:
    server = serve(who=visitors(TOKENS), tls=tls_context(*certificate))
    trusted = ssl.create_default_context(cafile=certificate[0])
    for name, status in ((COOKIE, 401), (SECURE_COOKIE, 200)):
        sent = {"Cookie": f"{name}={value_of('edna')}"}
        assert ask(server, tls=trusted, headers=sent).status == status
