"""beatd changes and beatd undo."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from beatd.changes import Author
from beatd.cli.author import author
from beatd.clock import SystemClock
from beatd.definition import entry_from
from beatd.edits.editing import in_batches
from beatd.edits.entry_change import added
from tests.cli.conftest import Here

KEYS = ["id", "at", "entry", "action", "by", "via", "note", "before", "after", "changed"]


@pytest.fixture
def x(here: Here) -> Here:
    here("add", "x", "--task", "t", "--cron", "0 2 * * *", "--tz", "UTC", "--note", "first")
    return here


def newest(here: Here, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = here.json("changes", *words)[0]
    return found


def what(here: Here, *words: str) -> list[str]:
    """The lines of the table, without times and ids."""
    return [" ".join(line.split()[4:]) for line in here("changes", *words).out.splitlines()[2:]]


def test_each_command_leaves_a_record_with_its_author(x: Here) -> None:
    x("edit", "x", "--cron", "0 3 * * *", "--note", "later")
    x("pause", "x", "--until", "2099-01-01", "--note", "deploy")
    x("resume", "x", "--note", "done")
    x("remove", "x", "--note", "gone")
    who = f"{author()} command x"
    assert what(x) == [
        f"{who} removed gone",
        f"{who} resumed done",
        f"{who} paused until 2099-01-01 00:00 CET deploy",
        f"{who} edited cron: 0 2 * * * → 0 3 * * * later",
        f"{who} added first",
    ]
    found = x.json("changes")
    assert {(one["by"], one["via"]) for one in found} == {(author(), "command")}
    assert all(newer["at"] >= older["at"] for newer, older in pairwise(found))


def test_a_note_may_be_given_with_replace_and_import(x: Here) -> None:
    x("add", "x", "--task", "t2", "--every", "5m", "--replace", "--note", "new")
    assert (newest(x)["action"], newest(x)["note"]) == ("edited", "new")
    x.file("crontab", "0 4 * * * tidy\n")
    x("import", "crontab:crontab", "--task", "run", "--no-user-column")
    assert (newest(x)["via"], newest(x)["action"]) == ("import", "added")


def test_an_apply_by_hand_has_the_name_of_the_person(here: Here) -> None:
    here.config("entries: {x: {task: t, every: 5m}}\n")
    here("apply")
    here.config("entries: {x: {task: t, every: 6m}}\n")
    here("apply")
    found = newest(here, "x")
    assert (found["by"], found["via"], found["action"]) == (author(), "command", "edited")
    assert found["changed"] == {"every": {"before": "5m", "after": "6m"}}


def test_json_has_both_definitions_and_their_difference(x: Here) -> None:
    x("edit", "x", "--every", "5m", "--queue", "q", "--args", "[1]", "--kwargs", '{"a": 1}')
    x("edit", "x", "--queue", "r", "--unset", "args", "--kwargs", '{"a": 2}')
    found = newest(x)
    assert list(found) == KEYS
    assert found["changed"] == {
        "args": {"before": [1], "after": None},
        "kwargs.a": {"before": 1, "after": 2},
        "options.queue": {"before": "q", "after": "r"},
    }
    assert found["after"] == {
        "definition": {
            "task": "t", "every": "5m", "tz": "UTC",
            "kwargs": {"a": 2}, "options": {"queue": "r"},
        },
        "source": "cli", "declared_at": "", "paused": False, "until": None,
    }  # fmt: skip
    assert found["before"]["definition"]["args"] == [1]
    added, edited = x.json("changes")[:0:-1][:2]
    assert (added["before"], added["changed"]) == (None, {})
    assert set(edited["changed"]) == {"cron", "every", "options", "args", "kwargs"}
    assert "cron: 0 2 * * * → none" in x("changes").out and "every: none → 5m" in x("changes").out
    x("pause", "x", "--until", "2099-01-01")
    assert (newest(x)["after"]["paused"], newest(x)["changed"]) == (True, {})
    assert newest(x)["after"]["until"] == "2098-12-31T23:00:00Z"


def test_another_owner_is_a_change(here: Here) -> None:
    here.config("entries: {x: {task: t, every: 5m}}\n")
    here("apply")
    here("edit", "x", "--every", "6m", "--force")
    changed = newest(here)["changed"]
    assert changed["source"] == {"before": "yaml:config", "after": "cli"}
    assert "every: 5m → 6m, source: yaml:config → cli" in here("changes").out


def test_changes_of_one_entry_and_a_limit(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "5m")
    x("pause", "x", "y")
    assert [one["entry"] for one in x.json("changes", "y")] == ["y", "y"]
    assert len(x.json("changes", "--limit", "3")) == 3
    assert "no entry 'z' in the store" in x("changes", "z", code=1).line
    x("remove", "y")
    assert len(x.json("changes", "y")) == 3


def test_a_store_without_a_change_says_so(here: Here) -> None:
    here.store().close()
    assert here.json("changes") == []
    assert here("changes").line == "no change is known"


def test_thousands_of_changes_are_read_in_pages(here: Here) -> None:
    store = here.store()
    entries = (entry_from(f"e{n:04}", {"task": "t", "every": "1h"}) for n in range(1200))
    for batch in in_batches(entries):
        store.write([added(one, SystemClock().now(), Author("bob", "api")) for one in batch])
    store.close()
    names = [one["entry"] for one in here.json("changes")]
    assert names == [f"e{n:04}" for n in reversed(range(1200))]
    assert len(here.json("changes", "--limit", "700")) == 700
    assert " bob   api " in here("changes", "--limit", "1").out


def test_undo_prints_what_it_restored(x: Here) -> None:
    x("edit", "x", "--cron", "0 3 * * *")
    out = x("undo", newest(x)["id"], "--note", "wrong").out
    assert out == '~ x\n-     cron: "0 3 * * *"\n+     cron: "0 2 * * *"\n'
    assert (newest(x)["action"], newest(x)["note"]) == ("edited", "undo of 2: wrong")
    assert what(x)[0].endswith(" edited cron: 0 3 * * * → 0 2 * * * undo of 2: wrong")


def test_the_table_begins_with_the_id_that_undo_needs(x: Here) -> None:
    x("edit", "x", "--cron", "0 3 * * *")
    header, _, *lines = x("changes").out.splitlines()
    assert header.split()[0] == "id"
    assert [line.split()[0] for line in lines] == [one["id"] for one in x.json("changes")]


def test_undo_of_an_addition_of_a_removal_and_of_a_pause(x: Here) -> None:
    first = newest(x)["id"]
    assert x("undo", first).out == "- x: t, cron 0 2 * * *\n"
    assert newest(x)["note"] == f"undo of {first}"
    assert x("undo", newest(x)["id"]).out == "+ x: t, cron 0 2 * * *\n"
    x("pause", "x", "--until", "2099-01-01", "--note", "deploy")
    id = newest(x)["id"]
    assert x("undo", id).out == "x is resumed\n"
    out = x("undo", newest(x)["id"], "--note", "again").out
    assert out == "x is paused until 2099-01-01 00:00 CET, undo of 5: again\n"
    x("remove", "x")
    out = x("undo", newest(x)["id"]).out
    assert out.startswith(
        "+ x: t, cron 0 2 * * *\nx is paused until 2099-01-01 00:00 CET, undo of "
    )


def test_undo_as_json_has_the_entry(x: Here) -> None:
    x("edit", "x", "--cron", "0 3 * * *")
    id = newest(x)["id"]
    done = x.json("undo", id)
    assert (done["undone"], done["name"]) == (id, "x")
    assert done["entry"]["schedule"] == {"cron": "0 2 * * *"}
    assert x.json("undo", x.json("changes")[-1]["id"], "--force")["entry"] is None


def test_undo_refuses_what_was_changed_since(x: Here) -> None:
    x("edit", "x", "--cron", "0 3 * * *")
    id = newest(x)["id"]
    x("edit", "x", "--priority", "3")
    line = x("undo", id, code=1).line
    assert f"entry 'x' was changed again since, by {author()} (change {newest(x)['id']})" in line
    x("undo", id, "--force")
    assert x.json("show", "x")["schedule"] == {"cron": "0 2 * * *"}


def test_undo_refuses_what_a_file_declares_unless_it_changes_hands(here: Here) -> None:
    here.config("entries: {x: {task: t, every: 5m}}\n")
    here("apply")
    here.config("entries: {x: {task: t, every: 6m}}\n")
    here("apply")
    id = newest(here)["id"]
    assert "is declared in config.yaml" in here("undo", id, code=1).line
    out = here("undo", id, "--force").out
    assert out.splitlines()[-1] == "x belongs to cli now"
    out = here("undo", newest(here)["id"]).out
    assert out.splitlines()[-1] == "x belongs to yaml:config now"
    assert here.json("show", "x")["schedule"] == {"every": "6m"}


def test_undo_of_an_unknown_change_is_refused(x: Here) -> None:
    line = x("undo", "nothing", code=1).line
    assert line == "beatd: no change 'nothing'; `beatd changes` shows what there is"


def test_the_moment_of_a_change_is_in_the_zone_of_the_configuration(x: Here) -> None:
    at = datetime.fromisoformat(newest(x)["at"])
    assert abs((datetime.now(UTC) - at).total_seconds()) < 600
    assert x("changes").out.splitlines()[2].split()[3] in ("CET", "CEST")


def test_why_says_who_disabled_an_entry(x: Here) -> None:
    x("edit", "x", "--disabled", "--note", "too slow")
    x("edit", "x", "--priority", "3")
    answer = x.json("why", "x")
    assert answer["cause"] == "disabled"
    assert answer["line"].endswith(f", by {author()}: too slow")
    x("edit", "x", "--enabled")
    assert x.json("why", "x")["cause"] == "nobody leads"
