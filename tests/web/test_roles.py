"""Each path and method of the application, tried by nobody and by each role."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.routing import Route

from beatd.definition import codec, entry_from
from beatd.edits.editing import rows
from beatd.edits.entry_change import added
from beatd.edits.pausing import pause
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.application import application
from beatd.web.http_hosts import HttpHosts
from beatd.web.http_server import HttpServer
from beatd.web.session import session_value
from beatd.web.visitor import ROLES
from tests.web.conftest import Serve
from tests.web.demo_store import ANN
from tests.web.site import NOON, SECRETS, TOKENS, Answered, ask, site_with, stopped_clock, visitors

#: The lowest role that may use each path; "nobody" needs no token. A new route belongs in here.
TABLE = """
nobody    GET     /live
nobody    GET     /metrics
nobody    GET     /ready
nobody    GET     /sign-in
nobody    POST    /sign-in
nobody    POST    /sign-out
nobody    GET     /static/{name}
viewer    GET     /
viewer    GET     /ahead
viewer    GET     /badge/{name}.svg
viewer    GET     /changes
viewer    GET     /daemons
viewer    GET     /entries
viewer    GET     /entries.ics
viewer    GET     /entries/{name}
viewer    GET     /history
viewer    GET     /incidents
viewer    GET     /status
operator  GET     /entries/{name}/backfill
operator  POST    /entries/{name}/backfill
operator  POST    /entries/{name}/backfill/call-off
operator  POST    /entries/bulk
operator  GET     /entries/{name}/run
operator  POST    /entries/{name}/run
editor    GET     /changes/{id}/undo
editor    POST    /changes/{id}/undo
editor    GET     /entries/{name}/edit
editor    POST    /entries/{name}/edit
editor    GET     /new
editor    POST    /new
viewer    GET     /api/v1/ahead
viewer    GET     /api/v1/changes
viewer    GET     /api/v1/entries
viewer    GET     /api/v1/entries/{name}
viewer    GET     /api/v1/entries/{name}/history
viewer    GET     /api/v1/entries/{name}/next
viewer    GET     /api/v1/entries/{name}/why
viewer    GET     /api/v1/history
viewer    GET     /api/v1/incidents
viewer    GET     /api/v1/openapi.json
viewer    GET     /api/v1/requests
viewer    GET     /api/v1/status
viewer    GET     /api/v1/whoami
operator  DELETE  /api/v1/entries/{name}/backfill
operator  POST    /api/v1/bulk
operator  POST    /api/v1/entries/{name}/backfill
operator  POST    /api/v1/entries/{name}/pause
operator  POST    /api/v1/entries/{name}/resume
operator  POST    /api/v1/entries/{name}/trigger
editor    DELETE  /api/v1/entries/{name}
editor    PATCH   /api/v1/entries/{name}
editor    POST    /api/v1/apply
editor    POST    /api/v1/changes/{id}/undo
editor    POST    /api/v1/preview
editor    PUT     /api/v1/entries/{name}
"""
NEEDED = {(method, path): role for role, method, path in map(str.split, TABLE.split("\n")[1:-1])}
API = "/api/v1/"
SPAN = {"from": "2026-11-27", "to": "2026-11-28"}
EDITED = {"task": "proj.tidy", "kind": "every", "schedule": "6m", "step": "save", "enabled": "on"}
#: What a request needs so that it is carried out: the fields of a form, or JSON for the API.
SENT: dict[str, Any] = {
    "POST /sign-in": {"token": SECRETS["vera"]},
    "POST /entries/{name}/backfill": {**SPAN, "seen": "{revision}", "number": "1"},
    "POST /entries/bulk": {"action": "resume", "name": "tidy"},
    "POST /entries/{name}/run": {"args": "[]", "number": "{who}"},
    "POST /entries/{name}/edit": {**EDITED, "revision": "{revision}"},
    "POST /new": {**EDITED, "name": "other"},
    "POST /api/v1/bulk": {"action": "pause", "names": []},
    "POST /api/v1/entries/{name}/backfill": {**SPAN, "dry_run": True},
    "PATCH /api/v1/entries/{name}": {"every": "6m"},
    "PUT /api/v1/entries/{name}": {"task": "x", "every": "5m"},
    "POST /api/v1/apply": {"name": "jobs", "entries": {}},
    "POST /api/v1/preview": {"entry": {"task": "x", "every": "5m"}},
}
#: There is no backfill to call off.
NOTHING_THERE = {"DELETE /api/v1/entries/{name}/backfill"}
WHO = dict(zip(("nobody", *ROLES), (None, "vera", "otto", "edna"), strict=True))
PAGE = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore(codec=codec, clock=stopped_clock())
    made.write([added(entry_from("tidy", {"task": "proj.tidy", "every": "1h"}), NOON, ANN)])
    pause(made, ["tidy"], lambda: NOON, ANN)
    return made


@pytest.fixture
def server(serve: Serve, store: MemoryStore) -> HttpServer:
    site = site_with(lambda: Roles.of(store), shares_store=True)
    return serve(who=visitors(TOKENS), site=site)


def routed() -> set[tuple[str, str]]:
    """Return the method and the path of each route."""
    made = application(site_with(), HttpHosts("127.0.0.1", 1), visitors())
    return {
        (method, route.path.replace(":path", ""))
        for route in made.inner.routes
        if isinstance(route, Route)
        for method in (route.methods or ()) - {"HEAD"}
    }


def path_of(path: str, store: Any) -> str:
    name = "beatd.js" if path.startswith("/static/") else "tidy"
    return path.replace("{name}", name).replace("{id}", store.changes("tidy", 1)[0].id)


def send(
    server: HttpServer,
    store: Any,
    method: str,
    path: str,
    who: str | None,
    *,
    by_cookie: bool = False,
) -> Answered:
    """Send a request from a page of this server, or by a program with a token."""
    sent = SENT.get(f"{method} {path}", "")
    headers = {"Sec-Fetch-Site": "same-origin", "If-Match": "*"}
    if isinstance(sent, dict):
        revision = str(rows(store, ["tidy"])["tidy"].revision) if "{revision}" in str(sent) else ""
        given = {"{revision}": revision, "{who}": f"{who}{by_cookie}"}
        sent = {key: given.get(str(value), value) for key, value in sent.items()}
        if path.startswith(API):
            headers["Content-Type"], sent = "application/json", json.dumps(sent)
        else:
            sent = urlencode(sent)
    token = None if who is None else TOKENS.named(who)
    cookie = session_value(token) if by_cookie and token is not None else None
    secret = None if who is None or by_cookie else SECRETS[who]
    return ask(
        server, path_of(path, store), method, body=sent, token=secret, cookie=cookie,
        headers=headers,
    )  # fmt: skip


def is_led_away(answer: Answered) -> bool:
    """Return True if a person is led to the form to sign in."""
    return answer.status == 303 and answer.headers["Location"].startswith("/sign-in")


def test_the_table_has_every_route_and_no_other() -> None:
    assert set(NEEDED) == routed()


@pytest.mark.parametrize("by_cookie", [False, True], ids=["token", "cookie"])
@pytest.mark.parametrize(("method", "path"), NEEDED, ids=[" ".join(one) for one in NEEDED])
def test_a_path_is_for_its_role_and_the_roles_above(
    server: HttpServer, store: MemoryStore, method: str, path: str, by_cookie: bool
) -> None:
    needed = NEEDED[method, path]
    for role, who in WHO.items():
        before = store.version(), list(store.requests(10))
        answer = send(server, store, method, path, who, by_cookie=by_cookie)
        if list(WHO).index(role) >= list(WHO).index(needed):
            done = answer.status < 400 and (needed == "nobody" or not is_led_away(answer))
            nothing = f"{method} {path}" in NOTHING_THERE and answer.status == 422
            assert done or nothing, (role, answer)
            continue
        if who is not None:
            assert answer.status == 403 and f"this needs the role {needed}" in answer.text
        elif path.startswith(("/api/", "/status")):
            assert answer.status == 401
        else:
            assert is_led_away(answer), answer
        assert (store.version(), list(store.requests(10))) == before, role


@pytest.mark.parametrize("path", sorted({path for _, path in NEEDED}))
def test_no_other_method_is_there(server: HttpServer, store: MemoryStore, path: str) -> None:
    before = store.version()
    known = {method for method, one in NEEDED if one == path}
    for method in {"GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "X"} - known:
        answer = send(server, store, method, path, "edna")
        # "tidy/pause" may also be the name of an entry, which is not there.
        is_name = path.startswith(f"{API}entries/{{name}}/")
        assert answer.status in ((404, 405, 412, 415) if is_name else (404, 405)), (method, answer)
    if "GET" in known:
        head, get = (send(server, store, one, path, None) for one in ("HEAD", "GET"))
        assert (head.status, head.text) == (get.status, "")
    assert store.version() == before


def test_only_an_editor_removes_several_entries(server: HttpServer, store: MemoryStore) -> None:
    form = {"action": "remove", "step": "confirm", "seen": "2 tidy", "number": "1"}
    body = {"action": "remove", "names": ["tidy"]}
    for who in ("vera", "otto"):
        token = SECRETS[who]
        page = ask(server, "/entries/bulk", "POST", token=token, body=urlencode(form))
        kind = {"Content-Type": "application/json"}
        api = ask(server, "/api/v1/bulk", "POST", token=token, body=json.dumps(body), headers=kind)
        assert (page.status, api.status) == (403, 403)
    assert store.count() == 1


def test_the_page_about_security_has_each_path_of_a_page_with_its_role() -> None:
    lines = re.findall(r"^\| (\w+) \| (GET|POST) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    written = {
        (method, path): role
        for role, method, paths in lines
        for path in re.findall(r"`([^`]+)`", paths)
    }
    assert written == {key: role for key, role in NEEDED.items() if not key[1].startswith(API)}
