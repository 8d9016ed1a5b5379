"""Several entries in one request: bulk, apply, preview, and changes with their undo."""

from typing import Any

import pytest

from beatd.edits.bulk_edit import NAMES_MAX
from beatd.edits.editing import row_of, rows
from beatd.stores.embedded.memory import MemoryStore
from tests.web.api.client import EDITOR, OPERATOR, Client, entry

TIDY = {"task": "proj.tidy", "every": "5m"}


def results(answer: Any) -> dict[str, bool]:
    assert answer.status == 200, answer
    return {one["name"]: one["done"] for one in answer.body["results"]}


# bulk


def test_one_that_is_refused_does_not_stop_the_others(api: Client, store: MemoryStore) -> None:
    for name in "abc":
        api.create(name)
    seen = row_of(store, "b").revision
    api("POST", "entries/b/pause", {"note": "mine"})
    body = {
        "action": "pause", "names": ["a", "b", "nobody", "c"], "revisions": {"b": seen},
        "note": "deploy", "until": "2h",
    }  # fmt: skip
    answer = api("POST", "bulk", body, by=OPERATOR)
    assert results(answer) == {"a": True, "b": False, "nobody": False, "c": True}
    assert "since you read it" in answer.body["results"][1]["text"]
    pauses = {name: row.pause for name, row in rows(store, "abc").items()}
    assert [pauses[name].note for name in "abc"] == ["deploy", "mine", "deploy"]
    assert pauses["a"].until is not None


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(
    api: Client, store: MemoryStore
) -> None:
    api.create("a")
    body = {"action": "remove", "names": ["a", "nobody"], "dry_run": True}
    assert results(api("POST", "bulk", body)) == {"a": True, "nobody": False}
    assert rows(store, ["a"])


def test_a_query_names_the_entries_that_match(api: Client, store: MemoryStore) -> None:
    for name in ("report-a", "report-b", "tidy"):
        api.create(name)
    answer = api("POST", "bulk", {"action": "trigger", "query": {"q": "report"}})
    assert results(answer) == {"report-a": True, "report-b": True}
    assert sorted(request.name for request, _ in store.requests(10)) == ["report-a", "report-b"]


def test_only_an_editor_removes(api: Client, store: MemoryStore) -> None:
    api.create("a")
    body = {"action": "remove", "names": ["a"]}
    assert api("POST", "bulk", body, by=OPERATOR).status == 403
    assert rows(store, ["a"])
    assert results(api("POST", "bulk", body, by=EDITOR)) == {"a": True}
    assert not rows(store, ["a"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "pause"}, "/names"),
        ({"action": "pause", "names": [], "query": {}}, "/names"),
        ({"action": "pause", "names": ["x"] * (NAMES_MAX + 1)}, "/names"),
        ({"action": "pause", "names": ["x", "a\nb"]}, "/names/1"),
        ({"action": "pause", "names": ["x", 1]}, "/names/1"),
        ({"action": "explode", "names": ["x"]}, "/action"),
        ({"action": "resume", "names": ["x"], "until": "2h"}, "/until"),
        ({"action": "pause", "names": ["x"], "until": "2020-01-01"}, "/until"),
        ({"action": "pause", "names": ["x"], "until": "soon"}, "/until"),
        ({"action": "pause", "query": {"state": "sad"}}, "/query/state"),
    ],
)
def test_a_wrong_bulk_request_names_the_member(
    api: Client, body: dict[str, Any], pointer: str
) -> None:
    answer = api("POST", "bulk", body)
    assert answer.status == 422, answer
    assert [at for at, _ in answer.mistakes] == [pointer]


# apply


def test_a_set_is_applied_like_a_file(api: Client, store: MemoryStore) -> None:
    api.create("mine")
    entries = {"a": TIDY, "b": TIDY, "mine": {**TIDY, "every": "1h"}}
    body = {"name": "jobs", "entries": entries, "timezone": "Europe/Berlin"}
    dry = api("POST", "apply", {**body, "dry_run": True}).body
    assert (dry["added"], dry["dry_run"]) == (["a", "b"], True)
    assert set(rows(store, entries)) == {"mine"}
    done = api("POST", "apply", body).body
    assert done["added"] == ["a", "b"]
    assert [one["name"] for one in done["conflicts"]] == ["mine"]
    assert api.get(entry("a"))["source"] == "api:jobs"
    assert api.get(entry("a"))["tz"] == "Europe/Berlin"
    assert api("POST", "apply", body).body["unchanged"] == 2
    less = {**body, "entries": {"a": TIDY}}
    assert api("POST", "apply", less).body["kept"] == ["b"]
    assert api("POST", "apply", {**less, "prune": True}).body["removed"] == ["b"]
    assert set(rows(store, ["a", "b", "mine"])) == {"a", "mine"}


def test_an_applied_entry_is_changed_by_its_set_only(api: Client) -> None:
    api("POST", "apply", {"name": "jobs", "entries": {"a": TIDY}})
    etag = api("GET", entry("a")).etag
    answer = api("PATCH", entry("a"), {"every": "1h"}, If_Match=etag)
    assert answer.status == 409 and "api:jobs" in answer.body["detail"]


def test_one_wrong_entry_applies_nothing_and_all_problems_are_told(
    api: Client, store: MemoryStore
) -> None:
    body = {
        "name": "jobs",
        "entries": {"a": TIDY, "b/c": {"task": [], "every": "x"}, "": TIDY},
        "defaults": {"options": {"priority": "high"}, "task": "x"},
        "timezone": "Mars",
    }
    answer = api("POST", "apply", body)
    assert answer.status == 422
    places = {at for at, _ in answer.mistakes}
    assert {"/entries/b~1c/task", "/entries/b~1c/every", "/timezone", "/defaults/task"} <= places
    assert not rows(store, ["a"])


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 101, "a:b", 5])
def test_the_name_of_a_set_is_plain(api: Client, name: Any) -> None:
    answer = api("POST", "apply", {"name": name, "entries": {}})
    assert answer.status == 422 and [at for at, _ in answer.mistakes] == ["/name"]


# preview


def test_a_preview_saves_nothing_and_tells_the_runs(api: Client, store: MemoryStore) -> None:
    body = {
        "entry": {"task": "x", "cron": "0 2 * * mon", "tz": "Asia/Tokyo"},
        "n": 2,
        "from": "2027-01-01",
    }
    found = api("POST", "preview", body).body
    assert found["valid"] is True and found["problems"] == []
    assert [one["local"] for one in found["next"]] == [
        "2027-01-04T02:00:00+09:00", "2027-01-11T02:00:00+09:00",
    ]  # fmt: skip
    assert found["words"] and found["tz"] == "Asia/Tokyo"
    assert store.count() == 0


def test_a_preview_tells_all_problems_and_warnings(api: Client) -> None:
    found = api("POST", "preview", {"entry": {"every": "x", "tz": "Mars"}}).body
    assert found["valid"] is False and found["next"] == []
    assert {one["pointer"] for one in found["problems"]} == {
        "/entry/every", "/entry/tz", "/entry/task",
    }  # fmt: skip
    both = api("POST", "preview", {"entry": {"task": "x", "cron": "0 0 1 * mon"}}).body
    assert [one["pointer"] for one in both["warnings"]] == ["/entry/cron"]
    past = api("POST", "preview", {"entry": {"task": "x", "at": "2020-01-01"}}).body
    assert past["valid"] is True and "never runs" in past["warnings"][0]["detail"]


# changes


def test_changes_name_the_token_and_can_be_undone(api: Client) -> None:
    etag = api.create("tidy")
    api("PATCH", entry("tidy"), {"every": "1h"}, If_Match=etag)
    edited, added = api.pages("changes?limit=1&entry=tidy")
    assert (added["action"], added["by"], added["via"]) == ("added", "edna (token)", "api")
    assert edited["changed"] == {"every": {"before": "5m", "after": "1h"}}
    undone = api("POST", f"changes/{edited['id']}/undo")
    assert undone.status == 200 and undone.body["removed"] is False
    assert api.get(entry("tidy"))["schedule"] == {"every": "5m"}
    assert len(api.pages("changes?limit=2")) == 3
    assert api("POST", "changes/nothing/undo").status == 404


def test_a_change_that_was_changed_again_is_not_undone(api: Client) -> None:
    etag = api.create("tidy")
    etag = api("PATCH", entry("tidy"), {"every": "1h"}, If_Match=etag).etag
    first = api.get("changes")["items"][0]["id"]
    api("PATCH", entry("tidy"), {"every": "2h"}, If_Match=etag)
    assert api("POST", f"changes/{first}/undo").status == 409
    assert api("POST", f"changes/{first}/undo?force=true").status == 200
    assert api.get(entry("tidy"))["schedule"] == {"every": "5m"}
