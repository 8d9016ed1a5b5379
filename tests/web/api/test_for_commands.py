"""What the API has for the commands that work over it."""

from datetime import datetime, timedelta

from beatd.changes import Author
from beatd.definition import entry_from
from beatd.edits.editing import add, rows
from beatd.incident import Incident
from beatd.stores.embedded.memory import MemoryStore
from tests.web.api.client import EDITOR, OPERATOR, Client
from tests.web.site import NOON, stopped_clock

SPAN = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}


def test_an_entry_has_its_plan(api: Client) -> None:
    api.create("tidy", every="5m", jitter="1m")
    plan = api.get("entries/tidy")["plan"]
    assert datetime.fromisoformat(plan["planned"]) < datetime.fromisoformat(plan["due"])
    assert plan["waits"] is False
    api("POST", "entries/tidy/pause")
    assert api.get("entries/tidy")["plan"] == {**plan, "due": None}


def test_whoami_has_the_zone_and_the_time(api: Client) -> None:
    found = api.get("whoami")
    assert found["timezone"] == "UTC"
    assert found["now"].endswith("Z")


def test_each_write_keeps_its_note(api: Client) -> None:
    api("PUT", "entries/a?note=put", {"task": "t", "every": "5m"}, If_None_Match="*")
    api("PATCH", "entries/a?note=patch", {"every": "6m"}, If_Match="*")
    api("POST", "entries/a/pause", {"note": "pause"})
    api("POST", "entries/a/resume?note=resume")
    api("DELETE", "entries/a?note=delete", If_Match="*")
    api("POST", "changes/5/undo?note=undo")
    api("POST", "changes/6/undo")
    notes = [one["note"] for one in api.get("changes")["items"]]
    assert notes[::-1] == ["put", "patch", "pause", "resume", "delete", "undo", "undo of 6"]


def test_a_put_keeps_the_owner_of_an_entry_that_a_command_added(
    api: Client, store: MemoryStore
) -> None:
    entry = entry_from("tidy", {"task": "t", "every": "5m"})
    add(store, entry, stopped_clock().now, Author("ann"))
    answer = api("PUT", "entries/tidy", {"task": "t", "every": "6m"}, If_Match="*")
    assert answer.body["source"] == "cli"
    assert rows(store, ["tidy"])["tidy"].entry.schedule.plain() == {"every": "6m"}


def test_requests_are_listed_and_backfills_are_called_off(api: Client) -> None:
    api.create("tidy", every="5m")
    api("POST", "entries/tidy/backfill", SPAN)
    api("POST", "entries/tidy/trigger")
    first, second = api.get("requests")["items"]
    assert first == {"entry": "tidy", "kind": "backfill", **SPAN}
    assert second["kind"] == "trigger"
    answer = api("DELETE", "entries/tidy/backfill", by=OPERATOR)
    assert (answer.status, answer.body) == (200, {"entry": "tidy", "called_off": 13})
    assert [one["kind"] for one in api.get("requests")["items"]] == ["trigger"]
    assert api("DELETE", "entries/tidy/backfill", by=EDITOR).status == 422


def test_an_undo_answers_the_entry_before_and_after_it(api: Client) -> None:
    api.create("tidy", every="5m")
    api("PATCH", "entries/tidy", {"every": "6m"}, If_Match="*")
    edited = api("POST", "changes/2/undo").body
    assert edited["before"]["schedule"] == {"every": "6m"}
    assert edited["after"] == api.get("entries/tidy")
    removed = api("POST", "changes/1/undo?force=true").body
    assert (removed["removed"], removed["after"]) == (True, None)


def test_incidents_come_in_pages(api: Client, store: MemoryStore) -> None:
    names = [f"e{number}" for number in range(5)]
    incidents = [
        Incident(kind="failed", name=name, opened=NOON + timedelta(minutes=at), revision=1)
        for at, name in enumerate(names)
    ]
    assert store.put_incidents(incidents) == [True] * 5
    for state in ("open", "all"):
        found = api.pages(f"incidents?limit=2&state={state}")
        assert [one["entry"] for one in found] == names[::-1]
