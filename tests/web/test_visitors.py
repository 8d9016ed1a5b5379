"""Who sends a request: tokens, cookies and a proxy."""

import hmac
import logging
import ssl
import subprocess
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import pytest

from beatd.config.tls_files import tls_context
from beatd.errors import ConfigError
from beatd.web.guess_limit import (
    ALL_MAX,
    PER_ADDRESS_MAX,
    REMEMBERED_MAX,
    GuessLimit,
    TooManyGuesses,
)
from beatd.web.http_server import HttpServer
from beatd.web.proxy import Proxy
from beatd.web.session import LIFE_S, session_value, token_of_session
from beatd.web.sign_in import local_path
from beatd.web.tokens import Token, Tokens
from tests.web.conftest import Connect, Serve
from tests.web.site import SECRETS, TOKENS, Answered, ask, visitors

NOW = 1_800_000_000.0
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def server(serve: Serve) -> HttpServer:
    return serve(who=visitors(TOKENS))


def sign_in(server: HttpServer, secret: str, **more: object) -> Answered:
    return ask(server, "/sign-in", "POST", body=f"token={secret}", headers=SAME, **more)


# Tokens


@pytest.mark.parametrize("name", SECRETS)
def test_each_token_is_known(name: str) -> None:
    found = TOKENS.of_secret(SECRETS[name])
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    "secret", ["", "x", SECRETS["vera"][:-1], SECRETS["vera"] + "x", "\ud800", "é" * 20]
)
def test_no_other_secret_is(secret: str) -> None:
    assert TOKENS.of_secret(secret) is None


def test_all_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    compare = hmac.compare_digest

    def noted(a: bytes, b: bytes) -> bool:
        compared.append(len(a))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    for secret in (*SECRETS.values(), "wrong"):
        TOKENS.of_secret(secret)
    assert compared == [32] * len(SECRETS) * 4


def test_memory_has_no_secret() -> None:
    token = Token.of("ann", "viewer", "a-secret-of-ann-1")
    assert b"a-secret" not in repr(token).encode() + token.hash + token.session_key
    assert token.hash == sha256(b"a-secret-of-ann-1").digest() != token.session_key


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_the_header_is_any_case(server: HttpServer, scheme: str) -> None:
    assert ask(server, headers={"Authorization": f"{scheme} {SECRETS['vera']}"}).status == 200


@pytest.mark.parametrize("value", ["Basic eDp5", "Bearer", "Bearer ", "Bearer x", SECRETS["vera"]])
def test_other_headers_are_401(server: HttpServer, value: str) -> None:
    assert ask(server, headers={"Authorization": value}).status == 401


def test_a_wrong_token_is_not_made_good_by_a_cookie(server: HttpServer) -> None:
    cookie = cookie_of(sign_in(server, SECRETS["vera"]))
    assert ask(server, cookie=cookie).status == 200
    assert ask(server, cookie=cookie, token="wrong").status == 401


# Cookies


def cookie_of(answer: Answered) -> str:
    return answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


def test_a_person_signs_in_and_out(server: HttpServer) -> None:
    answer = ask(
        server, "/sign-in", "POST", body=f"token={SECRETS['edna']}&next=/entries", headers=SAME
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/entries")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("beatd_session=edna|")
    assert cookie.partition("; ")[2] == "Max-Age=43200; Path=/; HttpOnly; SameSite=Strict"
    assert ask(server, cookie=cookie_of(answer)).status == 200
    out = ask(server, "/sign-out", "POST", cookie=cookie_of(answer), headers=SAME)
    assert (out.status, out.headers["Location"]) == (303, "/sign-in")
    assert out.headers["Set-Cookie"].startswith("beatd_session=; Max-Age=0; ")


def test_a_wrong_token_gets_the_form_again(server: HttpServer) -> None:
    answer = sign_in(server, "wrong")
    assert answer.status == 403 and "not known" in answer.text and "wrong" not in answer.text
    assert answer.headers["Set-Cookie"] is None


def test_signing_in_and_out_needs_a_page_of_this_server(server: HttpServer) -> None:
    for path in ("/sign-in", "/sign-out"):
        assert ask(server, path, "POST", body=f"token={SECRETS['edna']}").status == 403


def test_without_tokens_the_form_says_so(serve: Serve) -> None:
    assert "http.tokens" in ask(serve(), "/sign-in").text


@pytest.mark.parametrize("after_s", [0, LIFE_S - 1])
def test_a_cookie_is_valid_for_half_a_day(after_s: int) -> None:
    edna = TOKENS.named("edna")
    assert edna is not None
    assert token_of_session(session_value(edna, NOW), TOKENS, NOW + after_s) is edna
    assert token_of_session(session_value(edna, NOW), TOKENS, NOW + LIFE_S) is None


def test_another_daemon_with_the_same_token_accepts_it_and_a_new_secret_ends_it() -> None:
    edna = TOKENS.named("edna")
    assert edna is not None
    value = session_value(edna, NOW)
    twin = Tokens([Token.of("edna", "viewer", SECRETS["edna"])])
    changed = Tokens([Token.of("edna", "editor", SECRETS["edna"] + "2")])
    renamed = Tokens([Token.of("other", "editor", SECRETS["edna"])])
    found = token_of_session(value, twin, NOW)
    assert found is not None and found.role == "viewer", "the role of the cookie's token now"
    assert token_of_session(value, changed, NOW) is None
    assert token_of_session(value, renamed, NOW) is None


def test_a_forged_cookie_is_nobody() -> None:
    vera = TOKENS.named("vera")
    assert vera is not None
    value = session_value(vera, NOW)
    name, expiry, nonce, signature = value.split("|")
    forged = [
        f"edna|{expiry}|{nonce}|{signature}",
        f"vera|{int(expiry) + 1}|{nonce}|{signature}",
        f"vera|{expiry}|x{nonce}|{signature}",
        f"vera|{expiry}|{nonce}|{signature[:-1]}",
        f"vera|{expiry}|{nonce}|",
        f"vera|{expiry}|{nonce}",
        f"vera|{expiry}|{nonce}|é",
        f"vera|x|{nonce}|{signature}",
        f"{value}|",
        f"|{value}",
        "",
        "|||",
        "x" * 100_000,
    ]
    assert [token_of_session(one, TOKENS, NOW) for one in forged] == [None] * len(forged)
    assert token_of_session(f"{name}|{expiry}|{nonce}|{signature}", TOKENS, NOW) is vera


@pytest.mark.parametrize("path", ["/", "/entries", "/entries?q=a%20b&x=/y", "/a//b"])
def test_a_path_of_this_server_is_where_one_goes_after_signing_in(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "//evil.example", "///x", "https://evil.example", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "evil.example", "/\t/evil.example", "/a\r\nSet-Cookie: x", "/é",
    ],
)  # fmt: skip
def test_another_place_is_not(path: str) -> None:
    assert local_path(path) == "/"


# Guessing


def test_an_address_gets_ten_guesses_a_minute() -> None:
    now = 100.0
    limit = GuessLimit(lambda: now)
    for _ in range(PER_ADDRESS_MAX):
        limit.check("192.0.2.1", all_together=True)
        limit.count("192.0.2.1")
        now += 1
    with pytest.raises(TooManyGuesses, match="try again in 50 s"):
        limit.check("192.0.2.1", all_together=False)
    limit.check("192.0.2.2", all_together=True)
    now = 160.0
    limit.check("192.0.2.1", all_together=True)


def test_all_addresses_together_get_sixty_at_the_form() -> None:
    limit = GuessLimit(lambda: 100.0)
    for number in range(ALL_MAX):
        limit.check("192.0.2.1", all_together=True)
        limit.count(f"198.51.100.{number}")
    with pytest.raises(TooManyGuesses):
        limit.check("192.0.2.1", all_together=True)
    limit.check("192.0.2.1", all_together=False)


def test_the_addresses_of_one_ipv6_host_count_together() -> None:
    limit = GuessLimit(lambda: 100.0)
    for number in range(PER_ADDRESS_MAX):
        limit.count(f"2001:db8::{number:x}")
    with pytest.raises(TooManyGuesses):
        limit.check("2001:db8::ffff:1", all_together=False)
    limit.check("2001:db8:0:1::1", all_together=False)


def test_a_flood_of_guesses_takes_no_memory() -> None:
    limit = GuessLimit(lambda: 100.0)
    for number in range(REMEMBERED_MAX + 10):
        limit.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(limit._wrong) == REMEMBERED_MAX
    with pytest.raises(TooManyGuesses):
        limit.check("192.0.2.1", all_together=True)


def test_too_many_guesses_get_429(server: HttpServer) -> None:
    cookie = cookie_of(sign_in(server, SECRETS["vera"]))
    for number in range(PER_ADDRESS_MAX):
        wrong = sign_in(server, "wrong") if number % 2 else ask(server, token="wrong")
        assert wrong.status in (401, 403)
    for answer in (
        sign_in(server, SECRETS["edna"]),
        ask(server, token="wrong"),
        ask(server, token=SECRETS["edna"]),
    ):
        assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
    assert ask(server, cookie=cookie).status == 200, "who is signed in goes on"


def test_forged_cookies_are_no_guesses(server: HttpServer) -> None:
    for _ in range(PER_ADDRESS_MAX + 1):
        assert ask(server, cookie="edna|1|x|y").status == 401
    assert ask(server, token=SECRETS["edna"]).status == 200


# A proxy


def behind(*addresses: str, tokens: Tokens | None = None) -> object:
    networks = tuple(map(ip_network, addresses))
    return visitors(tokens, proxy=Proxy("X-User", networks, {"ann": "operator", "bob": "viewer"}))


def test_a_user_of_the_proxy_has_the_role_of_the_configuration(serve: Serve) -> None:
    server = serve(who=behind("10.0.0.0/8", "127.0.0.1/32"))
    assert ask(server, headers={"X-User": "ann"}).status == 200
    assert ask(server, headers={"X-User": "nobody"}).status == 401
    assert ask(server, headers={"X-User": ""}).status == 401
    assert ask(server).status == 401


def test_the_header_from_another_address_is_ignored(serve: Serve) -> None:
    server = serve(who=behind("10.0.0.0/8", "::1/128"))
    assert ask(server, headers={"X-User": "ann"}).status == 401
    forwarded = {"X-User": "ann", "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1"}
    assert ask(server, headers=forwarded).status == 401


def test_two_headers_of_the_proxy_are_nobody(serve: Serve, connect: Connect) -> None:
    client = connect(serve(who=behind("127.0.0.1/32")))
    client.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nX-User: bob\r\nX-User: ann\r\n\r\n")
    assert client.recv(13) == b"HTTP/1.1 401 "


def test_tokens_work_beside_a_proxy(serve: Serve) -> None:
    server = serve(who=behind("10.0.0.0/8", tokens=TOKENS))
    assert ask(server, token=SECRETS["vera"], headers={"X-User": "ann"}).status == 200


def test_an_ipv4_address_of_an_ipv6_socket_is_recognised() -> None:
    proxy = Proxy("X-User", (ip_network("10.0.0.0/8"),), {})
    assert proxy.sends_from("::ffff:10.1.2.3") and not proxy.sends_from("::ffff:11.1.2.3")
    assert not proxy.sends_from("") and not proxy.sends_from("10.0.0.1, 10.0.0.2")


# Logs


def test_no_log_has_a_token_or_a_cookie(server: HttpServer, caplog, capfd) -> None:
    with caplog.at_level(logging.DEBUG):
        cookie = cookie_of(sign_in(server, SECRETS["edna"]))
        ask(server, cookie=cookie)
        ask(server, token=SECRETS["edna"])
        ask(server, f"/nothing?token={SECRETS['edna']}", token="a-wrong-token-of-somebody")
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (SECRETS["edna"], cookie, "a-wrong-token-of-somebody"):
        assert secret not in said


# TLS


def test_over_tls_the_cookie_is_secure(serve: Serve, certificate: tuple[str, str]) -> None:
    server = serve(who=visitors(TOKENS), tls=tls_context(*certificate))
    trusted = ssl.create_default_context(cafile=certificate[0])
    answer = sign_in(server, SECRETS["vera"], tls=trusted)
    assert answer.status == 303 and answer.headers["Set-Cookie"].endswith("; Secure")
    assert ask(server, cookie=cookie_of(answer), tls=trusted).status == 200
    port = server.address[1]
    sent = {"Origin": f"https://127.0.0.1:{port}"}
    assert ask(server, "/sign-out", "POST", headers=sent, tls=trusted).status == 303
    sent = {"Origin": f"http://127.0.0.1:{port}"}
    assert ask(server, "/sign-out", "POST", headers=sent, tls=trusted).status == 403


def test_behind_a_proxy_with_tls_the_cookie_is_secure(server: HttpServer) -> None:
    sent = {**SAME, "Origin": "https://beat.example"}
    answer = ask(server, "/sign-in", "POST", body=f"token={SECRETS['vera']}", headers=sent)
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_a_client_that_sets_up_no_tls_is_cut_like_any_other(
    serve: Serve, connect: Connect, certificate: tuple[str, str]
) -> None:
    server = serve(tls=tls_context(*certificate))
    silent = [connect(server) for _ in range(40)]
    trusted = ssl.create_default_context(cafile=certificate[0])
    assert ask(server, "/live", tls=trusted).status == 200
    assert silent[0].recv(1) == b"" and server.connections <= 32
    plain = connect(server)
    plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
    while plain.recv(100):
        pass
    server.close()
    assert silent[-1].recv(1) == b""


def test_a_file_that_is_not_tls_is_named(certificate: tuple[str, str], tmp_path: Path) -> None:
    cert, key = certificate
    other = tmp_path / "other"
    other.write_text("no PEM")
    foreign, locked = tmp_path / "foreign.pem", tmp_path / "locked.pem"
    for made, more in ((foreign, []), (locked, ["-aes256", "-pass", "pass:x"])):
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", *more, "-out", made],
            check=True, capture_output=True,
        )  # fmt: skip
    for files, said in (
        ((str(tmp_path / "none"), key), "none' cannot be read: no such file"),
        ((cert, str(tmp_path / "none")), "none' cannot be read: no such file"),
        ((str(other), key), "other' is not a certificate"),
        ((cert, str(other)), "other' is not a private key"),
        ((cert, str(foreign)), "foreign.pem' is not the key of"),
        ((cert, str(locked)), "locked.pem' has a password"),
    ):
        with pytest.raises(ConfigError, match=said):
            tls_context(*files)
