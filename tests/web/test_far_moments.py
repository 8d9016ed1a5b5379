"""Moments in the first and the last hours that a date can have, on every page and in the API."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from beatd.definition import codec, entry_from
from beatd.edits.entry_change import added
from beatd.edits.pausing import pause
from beatd.schedules import parse_moment
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.http_server import HttpServer
from tests.web.demo_store import ANN
from tests.web.site import (
    NOON,
    SECRETS,
    TOKENS,
    Answered,
    ask,
    serving,
    site_with,
    stopped_clock,
    visitors,
)

#: Berlin has no date for the last one, New York none for the first.
LAST, FIRST = "9999-12-31T23:30:00Z", "0001-01-01T00:00:00Z"
ENTRIES: dict[str, dict[str, Any]] = {
    "once": {"at": LAST, "tz": "Europe/Berlin"},
    "starts": {"every": "1h", "start": LAST, "tz": "Europe/Berlin"},
    "was": {"at": FIRST, "tz": "America/New_York"},
    "paused": {"every": "1h", "tz": "Europe/Berlin"},
}
PAGES = "/ /entries /ahead /history /incidents /daemons /changes /entries.ics"
OF_AN_ENTRY = "/entries/{} /entries/{}/edit /entries/{}/run /entries/{}/backfill /badge/{}.svg"
API = "/api/v1/"


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    store = MemoryStore(codec=codec, clock=stopped_clock())
    for name, plain in ENTRIES.items():
        store.write([added(entry_from(name, {"task": "proj.tidy", **plain}), NOON, ANN)])
    pause(store, ["paused"], lambda: NOON, ANN, until=parse_moment(LAST))
    site = site_with(lambda: Roles.of(store), shares_store=True)
    site.timezone = "Europe/Berlin"
    made = serving(who=visitors(TOKENS), site=site)
    yield made
    made.close()


def get(server: HttpServer, path: str, **query: str) -> Answered:
    path = f"{path}?{urlencode(query)}" if query else path
    return ask(server, path, token=SECRETS["edna"])


@pytest.mark.parametrize("path", PAGES.split())
def test_no_entry_breaks_a_page_of_all(server: HttpServer, path: str) -> None:
    assert get(server, path).status == 200


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("path", OF_AN_ENTRY.split())
def test_an_entry_is_shown(server: HttpServer, name: str, path: str) -> None:
    assert get(server, path.format(name)).status == 200


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("at", [FIRST, "0001-01-02", LAST, "9999-12-31T23:59:59.999999Z"])
def test_anybody_may_ask_for_the_end_of_time(server: HttpServer, name: str, at: str) -> None:
    assert get(server, f"{API}entries/{name}/why", at=at).status == 200
    assert get(server, f"/entries/{name}", at=at).status == 200
    assert get(server, f"{API}entries/{name}/next", **{"from": at}).status == 200
    assert get(server, f"{API}entries/{name}/history", since=at, until=at).status == 200
    assert get(server, f"/entries/{name}/backfill", **{"from": at, "to": at}).status in (200, 400)


def test_a_backfill_may_begin_in_year_1(server: HttpServer) -> None:
    answer = get(server, "/entries/paused/backfill", **{"from": FIRST, "to": "0001-01-01T04:00Z"})
    assert answer.status == 200
    assert "0001-01-01" in answer.text
