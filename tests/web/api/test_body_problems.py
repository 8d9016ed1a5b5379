"""What is wrong with the JSON of a request: every mistake, with its place and what would do."""

from typing import Any

import pytest

from beatd import secret
from tests.web.api.client import Client

BULK: dict[str, Any] = {"action": "pause", "names": ["a"]}
APPLY: dict[str, Any] = {"name": "jobs", "entries": {}}
NAME = "is not a name; use letters, digits, dots, _ and -, a letter or digit first"
MISTAKES: list[tuple[str, Any, list[tuple[str, str]]]] = [
    # a value of another type, or outside the bounds
    ("entries/a/trigger", {"args": {"a": 1}}, [("/args", "{'a': 1} is not a list")]),
    ("entries/a/trigger", {"kwargs": [1]}, [("/kwargs", "[1] is not a mapping")]),
    ("entries/a/pause", {"note": 5}, [("/note", "5 is not text")]),
    ("entries/a/pause", {"note": "x" * 1001},
     [("/note", "is 1,001 characters long; at most 1,000 will do")]),
    ("entries/a/pause", {"note": "\0"}, [("/note", "'\\x00' has a zero byte in it")]),
    ("entries/a/backfill", {"from": "2026-11-28", "to": "2026-11-28", "dry_run": "yes"},
     [("/dry_run", "'yes' is neither true nor false")]),
    ("preview", {"entry": {}, "n": 101}, [("/n", "101 is not a whole number from 1 to 100")]),
    ("preview", {"entry": {}, "n": True}, [("/n", "True is not a whole number from 1 to 100")]),
    ("bulk", {**BULK, "action": "paus"},
     [("/action", "'paus' is not one of pause, remove, resume, trigger; did you mean pause?")]),
    ("bulk", {**BULK, "names": ["a"] * 1001},
     [("/names", "has 1,001 items; at most 1,000 will do")]),
    ("apply", {**APPLY, "name": ""}, [("/name", "is empty")]),
    ("apply", {**APPLY, "name": "../x"}, [("/name", f"'../x' {NAME}")]),
    ("apply", {**APPLY, "defaults": True}, [("/defaults", "True is not a mapping")]),
    # inside a mapping or a list
    ("apply", {**APPLY, "entries": {"a/b": 5}}, [("/entries/a~1b", "5 is not a mapping")]),
    ("bulk", {**BULK, "revisions": {"a": 1.5}},
     [("/revisions/a", "1.5 is not a whole number")]),
    ("bulk", {**BULK, "names": ["a", 5]}, [("/names/1", "5 is not text")]),
    ("bulk", {"action": "pause", "query": {"qq": "x"}},
     [("/query/qq", "is not a member of this request; did you mean q?")]),
    # a member that is missing, or unknown; and all of them at once
    ("entries/a/backfill", {"from": "2026-11-28"}, [("/to", "is missing")]),
    ("entries/a/backfill", {"form": "2026-11-28", "to": 1},
     [("/form", "is not a member of this request; did you mean from?"),
      ("/from", "is missing"), ("/to", "1 is not text")]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "mistakes"), MISTAKES)
def test_each_mistake_is_named(
    api: Client,
    path: str,
    body: Any,
    mistakes: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The passwords of other tests, such as zero bytes, would be hidden in what is said.
    monkeypatch.setattr(secret, "_known", secret._Known())
    api.create("a")
    answer = api("POST", path, body)
    assert answer.status == 422
    assert answer.mistakes == mistakes


def test_a_body_of_mistakes_only_is_answered_with_the_first_of_them(api: Client) -> None:
    answer = api("POST", "preview", {f"x{number}": 1 for number in range(50_000)})
    assert answer.status == 422
    assert len(answer.mistakes) == 1_000


def test_a_request_without_its_body_is_told_so(api: Client) -> None:
    answer = api("POST", "preview")
    assert answer.status == 415
    assert answer.body["detail"] == "the body is missing; send application/json"
