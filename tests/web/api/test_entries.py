"""Entries by the API: names, pages, ETags, and who wins when two write."""

from typing import Any

import pytest

from beatd.changes import Author
from beatd.definition import entry_from
from beatd.edits.editing import add, row_of, rows
from beatd.edits.pausing import pause
from beatd.run import EPOCH
from beatd.stores.embedded.memory import MemoryStore
from tests.web.api.client import Client, entry

AUTHOR = Author("ann")
FIELDS = {"task": "proj.tidy", "every": "5m"}
STRANGE_NAMES = [
    "a/b", "a/pause", "a/b/history", "/", "//x", "a b", "100%", "a%2Fb", "ä", "日本語", "🐝‍x",
    "?q=1", "#", "..", "a/../b", "+", "'\"<>", "entries",
]  # fmt: skip


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_an_entry_of_any_name_is_written_read_and_removed(api: Client, name: str) -> None:
    etag = api.create(name)
    assert api.get(entry(name))["name"] == name
    assert api("POST", f"{entry(name)}/pause").body["paused"] is True
    etag = api("GET", entry(name)).etag
    assert api("DELETE", entry(name), If_Match=etag).status == 204
    assert api("GET", entry(name)).status == 404


def test_a_name_that_no_entry_can_have_is_a_mistake_where_one_is_created(api: Client) -> None:
    answer = api("PUT", entry("x" * 251), FIELDS, If_None_Match="*")
    assert answer.status == 422
    assert "251 characters" in answer.body["detail"]
    assert api("GET", entry("x" * 251)).status == 404


def test_a_slash_that_is_not_encoded_belongs_to_the_name_unless_it_ends_it(api: Client) -> None:
    api.create("a")
    api.create("a/pause")
    api.create("team/tidy")
    assert api.get("entries/team/tidy")["name"] == "team/tidy"
    assert api("POST", "entries/a/pause").body["name"] == "a"
    assert api.get("entries/a%2Fpause")["paused"] is False
    assert api.get("entries/team/tidy/next")["items"]


def test_an_entry_is_what_show_prints_with_its_definition(api: Client) -> None:
    api.create("tidy", every="5m", args=[1], options={"queue": "q"}, description="cleans up")
    found = api.get(entry("tidy"))
    assert found["schedule"] == {"every": "5m"} and found["source"] == "api"
    assert found["definition"] == {
        "task": "proj.tidy", "every": "5m", "tz": "UTC", "args": [1], "options": {"queue": "q"},
        "description": "cleans up",
    }  # fmt: skip
    assert found["next"] is not None and found["outcome"] is None


def test_what_was_read_can_be_put_again(api: Client) -> None:
    etag = api.create("tidy", crontab={"minute": 0}, kwargs={"at": {"x": None}}, catch_up="skip")
    definition = api.get(entry("tidy"))["definition"]
    answer = api("PUT", entry("tidy"), definition, If_Match=etag)
    assert (answer.status, answer.body["definition"]) == (200, definition)


def test_every_problem_has_a_pointer_and_the_words_of_check(api: Client) -> None:
    plain = {"every": "5 parsecs", "tz": "Mars", "options": {"queu": 1, "priority": "x"}, "tsk": 1}
    answer = api("PUT", entry("tidy"), plain, If_None_Match="*")
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    places = dict(answer.mistakes)
    assert places.keys() >= {"/every", "/tz", "/tsk", "/task", "/options/priority"}
    assert "is not a duration" in places["/every"]
    assert places["/tsk"] == "is not a key of an entry; did you mean task?"
    assert api("GET", entry("tidy")).status == 404


# ETags


def test_the_etag_changes_with_the_definition_and_the_pause(api: Client) -> None:
    first = api.create("tidy")
    same = api("PUT", entry("tidy"), {**FIELDS, "every": "6m"}, If_Match=first)
    assert same.status == 200 and same.etag != first
    paused = api("POST", f"{entry('tidy')}/pause")
    assert paused.etag not in (first, same.etag)
    assert api("GET", entry("tidy")).etag == paused.etag


@pytest.mark.parametrize("form", ["{}", "W/{}", '"0", {}', "*"])
def test_who_has_the_revision_gets_304_without_a_body(api: Client, form: str) -> None:
    etag = api.create("tidy")
    answer = api("GET", entry("tidy"), If_None_Match=form.format(etag))
    assert (answer.status, answer.body, answer.etag) == (304, None, etag)


def test_another_etag_gets_the_entry(api: Client) -> None:
    api.create("tidy")
    assert api("GET", entry("tidy"), If_None_Match='"0", "x"').status == 200


@pytest.mark.parametrize(
    ("method", "body"), [("PUT", FIELDS), ("PATCH", {"task": "x"}), ("DELETE", None)]
)
def test_a_write_without_a_condition_is_428(api: Client, method: str, body: Any) -> None:
    api.create("tidy")
    given = {} if body is None else {"body": body}
    assert api(method, entry("tidy"), **given).status == 428
    assert api.get(entry("tidy"))["task"] == "proj.tidy"


@pytest.mark.parametrize("header", ['"0"', 'W/"{}"', "{}", '"x"', ""])
@pytest.mark.parametrize(
    ("method", "body"), [("PUT", FIELDS), ("PATCH", {"task": "x"}), ("DELETE", None)]
)
def test_a_stale_write_is_412_with_the_entry_as_it_is(
    api: Client, store: MemoryStore, method: str, body: Any, header: str
) -> None:
    api.create("tidy")
    revision = row_of(store, "tidy").revision
    given = {} if body is None else {"body": body}
    answer = api(method, entry("tidy"), **given, If_Match=header.format(revision))
    assert answer.status == 412 and answer.etag == f'"{revision}"'
    assert answer.body["current"]["revision"] == revision
    assert row_of(store, "tidy").revision == revision


def test_who_creates_what_is_there_gets_it_with_412(api: Client) -> None:
    etag = api.create("tidy")
    answer = api("PUT", entry("tidy"), {**FIELDS, "every": "1h"}, If_None_Match="*")
    assert (answer.status, answer.etag) == (412, etag)
    assert answer.body["current"]["schedule"] == {"every": "5m"}


def test_who_replaces_what_is_gone_gets_412(api: Client) -> None:
    answer = api("PUT", entry("tidy"), FIELDS, If_Match='"1"')
    assert (answer.status, answer.body["current"]) == (412, None)
    assert api("PATCH", entry("tidy"), {"every": "1h"}, If_Match='"1"').status == 404
    assert api("DELETE", entry("tidy"), If_Match="*").status == 404


def test_of_two_writers_with_one_etag_the_second_is_refused(api: Client) -> None:
    etag = api.create("tidy")
    first = api("PATCH", entry("tidy"), {"description": "one"}, If_Match=etag)
    second = api("PATCH", entry("tidy"), {"description": "two"}, If_Match=etag)
    assert (first.status, second.status) == (200, 412)
    assert second.body["current"]["definition"]["description"] == "one"
    assert api("PATCH", entry("tidy"), {"description": "two"}, If_Match=second.etag).status == 200


def test_a_writer_between_the_reading_and_the_writing_wins(
    api: Client, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = api.create("tidy")
    write = store.write

    def overtaken(changes: Any) -> Any:
        monkeypatch.setattr(store, "write", write)
        pause(store, ["tidy"], lambda: EPOCH, AUTHOR)
        return write(changes)

    monkeypatch.setattr(store, "write", overtaken)
    answer = api("PUT", entry("tidy"), {**FIELDS, "every": "1h"}, If_Match=etag)
    assert answer.status == 412 and answer.body["current"]["paused"] is True


def test_a_put_does_not_end_a_pause(api: Client) -> None:
    api.create("tidy")
    etag = api("POST", f"{entry('tidy')}/pause", {"note": "migration"}).etag
    answer = api("PUT", entry("tidy"), {**FIELDS, "every": "1h"}, If_Match=etag)
    assert answer.body["paused"] is True and answer.body["next"] is None
    assert answer.body["pause"]["note"] == "migration"


# PATCH


def test_a_merge_patch_merges_objects_and_null_removes(api: Client) -> None:
    etag = api.create(
        "tidy", every="5m", options={"queue": "q", "priority": 3}, kwargs={"a": 1, "b": 2}, jitter=3
    )
    patch = {"options": {"queue": None}, "kwargs": {"a": 5}, "jitter": None, "tz": "Europe/Berlin"}
    answer = api(
        "PATCH", entry("tidy"), patch, If_Match=etag, Content_Type="application/merge-patch+json"
    )
    assert answer.status == 200
    assert answer.body["definition"] == {
        "task": "proj.tidy", "every": "5m", "tz": "Europe/Berlin", "options": {"priority": 3},
        "kwargs": {"a": 5, "b": 2},
    }  # fmt: skip


def test_a_new_kind_of_schedule_replaces_the_old_one(api: Client) -> None:
    etag = api.create("tidy", every="5m", spread=True)
    answer = api("PATCH", entry("tidy"), {"cron": "0 3 * * *"}, If_Match=etag)
    assert answer.body["schedule"] == {"cron": "0 3 * * *"}


def test_a_patch_that_breaks_an_entry_is_refused_whole(api: Client) -> None:
    etag = api.create("tidy")
    answer = api("PATCH", entry("tidy"), {"task": None, "jitter": "x"}, If_Match=etag)
    assert answer.status == 422 and {"/task", "/jitter"} <= {at for at, _ in answer.mistakes}
    assert api("GET", entry("tidy")).etag == etag


# Entries of files


@pytest.fixture
def declared(store: MemoryStore) -> str:
    made = entry_from("nightly", FIELDS, source="yaml:config", declared_at="jobs/night.yaml")
    add(store, made, lambda: EPOCH)
    return f'"{row_of(store, "nightly").revision}"'


@pytest.mark.parametrize(
    ("method", "body"), [("PUT", FIELDS), ("PATCH", {"task": "x"}), ("DELETE", None)]
)
def test_an_entry_of_a_file_is_refused_and_names_the_file(
    api: Client, store: MemoryStore, declared: str, method: str, body: Any
) -> None:
    given = {} if body is None else {"body": body}
    refused = api(method, entry("nightly"), **given, If_Match=declared)
    assert refused.status == 409
    assert "jobs/night.yaml" in refused.body["detail"]
    assert "?force=true" in refused.body["detail"]
    done = api(method, f"{entry('nightly')}?force=true", **given, If_Match=declared)
    assert done.status in (200, 204)
    assert all(row.entry.source == "api" for row in rows(store, ["nightly"]).values())


def test_an_entry_of_a_file_can_be_paused(api: Client, declared: str) -> None:
    answer = api("POST", f"{entry('nightly')}/pause", {"until": "2h", "note": "why not"})
    assert answer.body["paused"] is True and answer.body["source"] == "yaml:config"
    assert answer.body["pause"]["by"] == "edna (token)"
    assert api("POST", f"{entry('nightly')}/resume").body["paused"] is False


# The list


def test_the_pages_of_a_list_have_each_entry_once(api: Client) -> None:
    names = sorted(f"{letter}{n}" for letter in "äbz" for n in range(7))
    for name in names:
        api.create(name)
    for order in ("name", "next"):
        found = [one["name"] for one in api.pages(f"entries?limit=4&order={order}")]
        assert sorted(found) == names
        if order == "name":
            assert found == names


def test_the_list_finds_by_text_owner_and_state(api: Client, declared: str) -> None:
    api.create("Report-a", task="proj.send", every="5m")
    api.create("b", task="proj.report", every="5m")
    api.create("c", task="x", every="5m", enabled=False)
    api.create("d", task="x", every="5m")
    api.create("e", task="x", at="2020-01-01")
    api("POST", "entries/d/pause")

    def names(query: str) -> list[str]:
        return [one["name"] for one in api.pages(f"entries?limit=1&{query}")]

    assert names("q=report") == ["Report-a", "b"]
    assert names("source=yaml:config") == ["nightly"]
    assert names("state=paused") == ["d"]
    assert names("state=disabled") == ["c"]
    assert names("state=finished") == ["e"]
    assert names("state=active") == ["Report-a", "b", "nightly"]
    assert names("state=failing") == names("state=running") == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("limit=", "limit"),
        ("state=sad", "state"), ("order=due", "order"), ("sort=name", "sort"), ("after=x", "after"),
        ("after=AAAAAHt9", "after"), ("q=a&q=b", "q"), ("limit=1&limit=1", "limit"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(api: Client, query: str, parameter: str) -> None:
    answer = api("GET", f"entries?{query}")
    assert answer.status == 422
    assert [at for at, _ in answer.mistakes] == [parameter]


# Bodies


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"task": "\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"", "application/json", 400),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    api: Client, text: bytes, kind: str, status: int
) -> None:
    answer = api("PUT", entry("x"), text=text, Content_Type=kind, If_None_Match="*")
    assert answer.status == status, answer.body
    assert "Traceback" not in str(answer.body)


def test_an_unknown_member_is_refused_with_a_hint(api: Client) -> None:
    api.create("tidy")
    answer = api("POST", "entries/tidy/pause", {"untill": "2h"})
    assert answer.status == 422
    assert answer.mistakes == [("/untill", "is not a member of this request; did you mean until?")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "entries?q=%00", None, 422),
        ("GET", "entries?source=a%00", None, 422),
        ("GET", "changes?entry=%00", None, 422),
        ("GET", "entries/a%00b/history", None, 404),
        ("POST", "changes/%00/undo", None, 404),
        ("POST", "entries/tidy/pause", {"note": "\x00"}, 422),
        ("POST", "bulk", {"action": "trigger", "query": {"q": "\x00"}}, 422),
        ("POST", "apply", {"name": "j", "entries": {"\x00": FIELDS}}, 422),
    ],
)
def test_a_zero_byte_does_not_reach_the_store(
    api: Client, method: str, path: str, body: Any, status: int
) -> None:
    api.create("tidy")
    given = {} if body is None else {"body": body}
    assert api(method, path, **given).status == status
