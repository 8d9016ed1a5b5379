"""What a page of another origin, or a stranger, tries: nothing is read, and nothing changes.

Each request is sent byte by byte. It has the cookie of an editor where a browser would send it: to
a page of the same site, and, to be on the safe side, with each request that changes something.
"""

from typing import NamedTuple

import pytest

from beatd.definition import codec, entry_from
from beatd.edits.entry_change import added
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.http_server import HttpServer
from beatd.web.session import COOKIE, session_value
from tests.web.conftest import Connect, Serve
from tests.web.site import NOON, SECRETS, TOKENS, said_by, site_with, stopped_clock, visitors

NAME, SECRET = "payroll-run", "argument-of-payroll"
EVIL = "evil.example"
FORM = "application/x-www-form-urlencoded"


class Attack(NamedTuple):
    """A request and the status of its answer; {port} and {cookie} are filled in.

    `hidden` is True if the answer may have the entry, because the browser keeps it from the page.
    """

    what: str
    request: str
    status: int
    headers: tuple[str, ...] = ()
    body: str = ""
    cookie: bool = False
    host: str | None = "127.0.0.1:{port}"
    hidden: bool = False


def rebound(what: str, request: str, status: int = 421, *headers: str, **more: str) -> Attack:
    """Return the request of a page whose own name resolves to this server now."""
    given = {"host": f"{EVIL}:{{port}}", **more}
    own = ("Sec-Fetch-Site: same-origin", f"Origin: http://{given['host']}")
    return Attack(what, request, status, (*own, *headers), **given)


def forged(what: str, request: str, *headers: str, body: str = "", status: int = 403) -> Attack:
    """Return a request that changes something, in the browser of somebody who is signed in."""
    return Attack(what, request, status, headers, body, cookie=True)


def stranger(what: str, request: str, status: int, *headers: str, body: str = "") -> Attack:
    """Return the request of a program without a token."""
    return Attack(what, request, status, headers, body)


CROSS = ("Sec-Fetch-Site: cross-site", f"Origin: https://{EVIL}")
TRIGGER = f"POST /api/v1/entries/{NAME}/trigger"
REMOVE = f"action=remove&step=confirm&number=1&name={NAME}&seen=1+{NAME}"
DEFINITION = '{"task": "evil", "every": "1s"}'

REBINDING = [
    rebound("the overview", "GET /"),
    rebound("the list of the API", "GET /api/v1/entries"),
    rebound("the status", "GET /status"),
    rebound("the calendar", "GET /entries.ics"),
    rebound("a badge", f"GET /badge/{NAME}.svg"),
    rebound("the script", "GET /static/beatd.js"),
    rebound("the form to sign in", "GET /sign-in"),
    rebound("a guess of a token", "POST /sign-in", body="token=a-wrong-token-of-16"),
    rebound("a run by hand", TRIGGER),
    rebound("a preflight", "OPTIONS /api/v1/entries"),
    rebound("the figures", "GET /metrics", 200),
    rebound("the probe", "GET /live", 200),
    rebound("a probe by POST", "POST /live"),
    rebound("a path below a probe", "GET /live/../api/v1/entries"),
    rebound("user information before its name", "GET /status", host=f"localhost@{EVIL}"),
    rebound("our name before its name", "GET /status", host=f"localhost.{EVIL}"),
    rebound("our address before its name", "GET /status", host=f"127.0.0.1.{EVIL}"),
    rebound("our name in brackets", "GET /status", host="[localhost]:{port}"),
    rebound("a text after the brackets", "GET /status", host="[::1]{port}"),
    rebound("another port", "GET /status", host="localhost:1"),
    rebound("two ports", "GET /status", host="localhost:{port}:{port}"),
    rebound("an empty name", "GET /status", host=""),
    rebound("our name in the target", "GET http://127.0.0.1/api/v1/entries"),
    rebound("a header of a proxy", "GET /status", 421, "X-Forwarded-Host: localhost"),
    rebound("a second Host", "GET /status", 400, "Host: localhost"),
]

FORGERY = [
    forged("a form of another site", TRIGGER, *CROSS, f"Content-Type: {FORM}"),
    forged("JSON sent as plain text", TRIGGER, *CROSS, "Content-Type: text/plain", body="{}"),
    forged("a form of several parts", TRIGGER, *CROSS, "Content-Type: multipart/form-data"),
    forged("a page on another port", TRIGGER, "Sec-Fetch-Site: same-site"),
    forged("a link that was typed", TRIGGER, "Sec-Fetch-Site: none"),
    forged("two values of Sec-Fetch-Site", TRIGGER, "Sec-Fetch-Site: same-origin, cross-site"),
    forged("no header at all", TRIGGER),
    forged("an Origin of a sandbox", TRIGGER, "Origin: null"),
    forged("the Origin of another port", TRIGGER, "Origin: http://127.0.0.1:1"),
    forged("an Origin with our address first", TRIGGER, "Origin: http://127.0.0.1:{port}." + EVIL),
    forged("an Origin with a path", TRIGGER, "Origin: http://127.0.0.1:{port}/"),
    forged("an Origin with another scheme", TRIGGER, "Origin: https://127.0.0.1:{port}"),
    forged("our other name as the Origin", TRIGGER, "Origin: http://localhost:{port}"),
    forged("a Referer of ours", TRIGGER, "Referer: http://127.0.0.1:{port}/entries"),
    forged("another kind of Authorization", TRIGGER, *CROSS, "Authorization: Basic eDp5"),
    forged("a wrong token", TRIGGER, *CROSS, "Authorization: Bearer wrong", status=401),
    forged("a pause", f"POST /api/v1/entries/{NAME}/pause", *CROSS),
    forged("a new entry", "PUT /api/v1/entries/x", *CROSS, "If-None-Match: *", body=DEFINITION),
    forged("an edit", f"PATCH /api/v1/entries/{NAME}", *CROSS, "If-Match: *", body=DEFINITION),
    forged("a removal", f"DELETE /api/v1/entries/{NAME}", *CROSS, "If-Match: *"),
    forged("many entries", "POST /api/v1/apply", *CROSS, body='{"name": "x", "entries": {}}'),
    forged("the form of many entries", "POST /entries/bulk", *CROSS, body=REMOVE),
    forged("the form of a run", f"POST /entries/{NAME}/run", *CROSS, body="args=[]"),
    forged("the form of a backfill", f"POST /entries/{NAME}/backfill", *CROSS),
    forged("the end of a backfill", f"POST /entries/{NAME}/backfill/call-off", *CROSS),
    forged("the form of an edit", f"POST /entries/{NAME}/edit", *CROSS, body="step=save"),
    forged("the form of a new entry", "POST /new", *CROSS, body="step=save&name=x&task=y"),
    forged("the form of an undo", "POST /changes/1/undo", *CROSS),
    forged("signing out", "POST /sign-out", *CROSS),
    forged("signing in as the attacker", "POST /sign-in", *CROSS, body=f"token={SECRETS['vera']}"),
    forged("a method in a header", TRIGGER, *CROSS, "X-HTTP-Method-Override: GET"),
    forged("TRACE, to see the cookie", "TRACE /", *CROSS),
    forged("CONNECT", f"CONNECT {EVIL}:80", *CROSS),
    forged("a preflight", "OPTIONS /api/v1/entries", *CROSS, status=405),
    forged("a link that signs out", "GET /sign-out", status=405),
    forged("a link to the API that changes many", f"GET /api/v1/bulk?{REMOVE}", status=405),
    forged("a link that changes many", f"GET /entries/bulk?{REMOVE}", status=404),
    forged("a method in the address", "GET /api/v1/status?_method=DELETE", status=422),
    forged(
        "a cookie of another server beside it", "GET /status", f"Cookie: {COOKIE}=x", status=401
    ),
]

#: The browser sends the cookie, and keeps the answer from the page: no header allows it to read.
UNREADABLE = [
    Attack(what, request, 200, ("Sec-Fetch-Site: same-site", *more), cookie=True, hidden=True)
    for what, request, *more in (
        ("the list as a script", "GET /api/v1/entries", "Sec-Fetch-Dest: script"),
        ("the list by fetch", "GET /api/v1/entries", "Origin: http://127.0.0.1:1"),
        ("a page in a frame", f"GET /entries/{NAME}", "Sec-Fetch-Dest: iframe"),
        ("a badge as a picture", f"GET /badge/{NAME}.svg", "Sec-Fetch-Dest: image"),
        ("a method in a header", f"GET /entries/{NAME}", "X-HTTP-Method-Override: DELETE"),
    )
]

STRANGERS = [
    stranger("no token", "GET /api/v1/entries", 401),
    stranger("a page", f"GET /entries/{NAME}", 303),
    stranger("the calendar", "GET /entries.ics", 303),
    stranger("a picture on another site", f"GET /badge/{NAME}.svg", 303, *CROSS),
    stranger("a user header without a proxy", "GET /status", 401, "X-User: edna"),
    stranger("an address of a proxy", "GET /status", 401, "X-Forwarded-For: 127.0.0.1"),
    stranger("a name without a signature", "GET /status", 401, f"Cookie: {COOKIE}=edna|9|x|"),
    stranger("a quoted cookie", "GET /status", 401, f'Cookie: {COOKIE}="{{cookie}}"'),
    stranger("the cookie of TLS without TLS", "GET /status", 401, "Cookie: __Host-beatd_session=x"),
    stranger("a token in the address", f"GET /status?token={SECRETS['edna']}", 401),
    stranger("a write that claims our origin", TRIGGER, 401, "Sec-Fetch-Site: same-origin"),
    stranger("up from the static files", "GET /static/../api/v1/entries", 404),
    stranger("up with encoded dots", "GET /static/%2e%2e/%2e%2e/gate.py", 404),
    stranger("up with encoded slashes", "GET /static/..%2F..%2Fgate.py", 404),
    stranger("up in overlong letters", "GET /static/%c0%ae%c0%ae%c0%afgate.py", 404),
    stranger("up with backslashes", "GET /static/..%5c..%5cgate.py", 404),
    stranger("an absolute path", "GET /static//etc/passwd", 404),
    stranger("two slashes first", "GET //api/v1/entries", 303),
    stranger("up from the form", "GET /sign-in/../api/v1/entries", 303),
    stranger("an encoded probe", "GET /live%2F..%2Fapi%2Fv1%2Fentries", 303),
    stranger("the API in capitals", "GET /API/v1/entries", 303),
    stranger("a whole address as the target", "GET http://127.0.0.1/api/v1/entries", 303),
    stranger("another server as the target", f"GET http://{EVIL}/", 303),
    stranger("a target that is no address", "GET [x", 303),
    stranger("another place after signing in", f"GET /sign-in?next=//{EVIL}", 200),
    stranger("a script after signing in", "GET /sign-in?next=javascript:alert(1)", 200),
    stranger("a header after signing in", "GET /sign-in?next=/%0d%0aSet-Cookie:%20x=y", 200),
    stranger("a header in the redirect", "GET /x%0d%0aSet-Cookie:%20x=y", 303),
    stranger("a form without an origin", "POST /sign-in", 403, body="token=x"),
    stranger("a method that is none", "G{{T /", 400),
]
ATTACKS = [*REBINDING, *FORGERY, *UNREADABLE, *STRANGERS]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    made = MemoryStore(codec=codec, clock=stopped_clock())
    entry = entry_from(NAME, {"task": "proj.pay", "every": "1h", "args": [SECRET]})
    made.write([added(entry, NOON, None)])
    return made


@pytest.fixture
def server(serve: Serve, store: MemoryStore) -> HttpServer:
    site = site_with(lambda: Roles.of(store), shares_store=True)
    return serve(who=visitors(TOKENS), site=site)


def sent(attack: Attack, port: int) -> bytes:
    """Return the bytes of a request."""
    edna = TOKENS.named("edna")
    assert edna is not None
    cookie = session_value(edna)
    lines = [f"{attack.request.replace('{{', '{')} HTTP/1.1"]
    if attack.host is not None:
        lines.append(f"Host: {attack.host}")
    lines += [*attack.headers, "Connection: close"]
    if attack.cookie:
        lines.append(f"Cookie: {COOKIE}={{cookie}}")
    if attack.body:
        lines.append(f"Content-Length: {len(attack.body)}")
    text = "\r\n".join(lines).replace("{port}", str(port)).replace("{cookie}", cookie)
    return f"{text}\r\n\r\n{attack.body}".encode()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: f"{one.request[:40]}: {one.what}")
def test_nothing_is_read_and_nothing_changes(
    server: HttpServer, store: MemoryStore, connect: Connect, attack: Attack
) -> None:
    before = store.version(), list(store.requests(10))
    client = connect(server)
    client.sendall(sent(attack, server.address[1]))
    answer = said_by(client)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(attack.status).encode(), answer
    names = {line.partition(b":")[0].lower(): line for line in head.split(b"\r\n")[1:]}
    assert not [name for name in names if name.startswith(b"access-control")]
    assert b"set-cookie" not in names
    assert EVIL.encode() not in names.get(b"location", b"")
    assert names[b"cross-origin-resource-policy"].endswith(b" same-origin")
    assert names[b"x-content-type-options"].endswith(b" nosniff")
    assert b"frame-ancestors 'none'" in names[b"content-security-policy"]
    if attack.hidden:
        assert NAME.encode() in body, "else this row shows nothing"
    else:
        # The path itself is repeated where a person is led back to it.
        read = body if attack.status != 303 else b""
        assert NAME.encode() not in read and SECRET.encode() not in answer
    assert (store.version(), list(store.requests(10))) == before


def test_the_table_is_long_enough_and_has_each_attack_once() -> None:
    assert len(set(ATTACKS)) == len(ATTACKS) >= 40


def test_the_same_requests_from_a_page_of_this_server_are_carried_out(
    server: HttpServer, store: MemoryStore, connect: Connect
) -> None:
    """Or the table would show nothing."""
    client = connect(server)
    own = forged("a run", TRIGGER, "Sec-Fetch-Site: same-origin")
    client.sendall(sent(own, server.address[1]))
    assert said_by(client).startswith(b"HTTP/1.1 200 ")
    assert [one.name for one, _ in store.requests(10)] == [NAME]


SMUGGLED = (
    "GET /api/v1/entries HTTP/1.1\r\nHost: localhost\r\n"
    f"Authorization: Bearer {SECRETS['edna']}\r\n\r\n"
)
LENGTH = f"Content-Length: {len(SMUGGLED) + 5}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        LENGTH + CHUNKED,
        CHUNKED + LENGTH,
        LENGTH + "Transfer-Encoding:\r\n chunked\r\n",
        LENGTH + "Transfer-Encoding: CHUNKED\r\n",
        LENGTH + "Transfer-Encoding: x, chunked\r\n",
        LENGTH + "Transfer-Encoding : chunked\r\n",
        LENGTH + "Content-Length: 0\r\n",
        "Content-Length: 0, 5\r\n",
        "Content-Length: +5\r\n",
        CHUNKED + CHUNKED,
    ],
)
@pytest.mark.parametrize("path", ["/live", "/status", "/sign-in"])
def test_a_request_in_the_body_of_another_is_not_answered(
    server: HttpServer, connect: Connect, path: str, headers: str
) -> None:
    """A proxy that goes by the other length would have let it pass as a part of the body."""
    client = connect(server)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n{headers}\r\n"
    )
    client.sendall(f"{head}0\r\n\r\n{SMUGGLED}".encode())
    answer = said_by(client)
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1 ") == 1
