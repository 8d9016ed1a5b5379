"""Each operation of the API: who may do it, and whether the document tells the truth about it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from beatd.errors import StoreError
from beatd.store import Roles
from beatd.web import api as api_package
from beatd.web.api.operation import PREFIX, Operation
from beatd.web.api.operations import OPERATIONS
from beatd.web.visitor import ROLES
from tests.web.api.client import EDITOR, OPERATOR, VIEWER, Client
from tests.web.conftest import Serve
from tests.web.site import TOKENS, site_with, visitors

VISITORS = dict(zip(ROLES, (VIEWER, OPERATOR, EDITOR), strict=True))
#: The smallest body that is right for each operation that needs one.
BODIES: dict[str, Any] = {
    "put_entries_name": {"task": "x", "every": "5m"},
    "patch_entries_name": {"every": "6m"},
    "post_entries_name_backfill": {"from": "2026-01-01", "to": "2026-01-02", "dry_run": True},
    "post_preview": {"entry": {"task": "x", "every": "5m"}},
    "post_bulk": {"action": "pause", "names": []},
    "post_apply": {"name": "jobs", "entries": {}},
}
#: Operations that find nothing to do in a store with one entry.
NOTHING_THERE = {"post_changes_id_undo", "delete_entries_name_backfill"}
PAGE = Path(__file__).parents[3] / "docs" / "api.md"
IDS = [one.id for one in OPERATIONS]


def send(api: Client, one: Operation, by: str | None) -> Any:
    path = one.path.replace("{name}", "tidy").replace("{id}", "7")
    given = {"body": BODIES[one.id]} if one.id in BODIES else {}
    return api(one.method, path, by=by, If_Match="*", **given)


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_an_operation_is_for_its_role_and_the_roles_above(api: Client, one: Operation) -> None:
    api.create("tidy")
    for role, name in VISITORS.items():
        answer = send(api, one, name)
        if ROLES.index(role) < ROLES.index(one.role):
            assert answer.status == 403, role
            assert answer.body["detail"].startswith(f"this needs the role {one.role}")
        else:
            allowed = one.id in NOTHING_THERE and answer.status in (404, 422)
            assert answer.status < 300 or allowed, (role, answer)


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_without_a_token_every_operation_is_the_same_refusal(api: Client, one: Operation) -> None:
    answer = send(api, one, None)
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_a_reader_and_only_a_reader_is_a_viewer(one: Operation) -> None:
    assert (one.role == "viewer") == (one.method == "GET")


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_without_the_store_an_operation_is_503_and_says_when_to_try_again(
    serve: Serve, one: Operation
) -> None:
    api = Client(serve(who=visitors(TOKENS), site=site_with()))
    answer = send(api, one, EDITOR)
    needs_no_store = one.path in ("status", "whoami", "openapi.json")
    assert answer.status == (200 if needs_no_store else 503), answer
    if not needs_no_store:
        assert answer.body["detail"] == "the store is away"
        assert answer.headers["Retry-After"]


def test_a_store_that_fails_within_an_operation_is_503(
    serve: Serve, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(query: Any) -> Iterator[Any]:
        raise StoreError("the connection is lost")
        yield

    monkeypatch.setattr(store, "find", away)
    site = site_with(lambda: Roles.of(store), shares_store=True)
    answer = Client(serve(who=visitors(TOKENS), site=site))("GET", "entries/tidy")
    assert (answer.status, answer.body["detail"]) == (503, "the connection is lost")


def test_a_mistake_of_ours_is_500_without_a_traceback(
    serve: Serve, store: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store, "find", lambda query: 1 / 0)
    site = site_with(lambda: Roles.of(store), shares_store=True)
    answer = Client(serve(who=visitors(TOKENS), site=site))("GET", "entries/tidy")
    assert answer.status == 500
    assert "ZeroDivision" not in str(answer.body) and "Traceback" not in str(answer.body)
    assert "ZeroDivisionError" in caplog.text


def test_an_unknown_path_and_an_unknown_method_are_problems(api: Client) -> None:
    missing, refused = api("GET", "nothing"), api("DELETE", "status")
    assert (missing.status, refused.status) == (404, 405)
    assert refused.headers["Allow"] == "GET, HEAD"
    allowed = api("POST", "entries/tidy").headers["Allow"]
    assert allowed == "DELETE, GET, HEAD, PATCH, PUT"
    for answer in (missing, refused):
        assert answer.headers["Content-Type"] == "application/problem+json"


# The document


def test_the_document_is_openapi_3_1(api: Client) -> None:
    document = api.get("openapi.json", by=VIEWER)
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_document_has_every_route_and_no_other(api: Client) -> None:
    document = api.get("openapi.json")
    documented = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    routed = {
        (method, route.path.replace(":path", ""))
        for route in api_package.routes()
        if isinstance(route, Route)
        for method in (route.methods or ()) - {"HEAD"}
    }
    assert documented == routed
    assert len(routed) == len(OPERATIONS)
    assert all(path.startswith(PREFIX) for _, path in routed)


def test_the_page_of_the_api_has_each_operation_with_its_role() -> None:
    lines = set(
        re.findall(r"^\| (\w+) \| ([A-Z]+) \| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)
    )
    assert lines == {(one.role, one.method, one.path) for one in OPERATIONS}


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_the_role_in_the_document_is_the_one_that_is_checked(one: Operation) -> None:
    (route,) = (
        route for route in api_package.routes() if isinstance(route, Route) and route.name == one.id
    )
    assert getattr(route.endpoint, "needs", None) == one.role
