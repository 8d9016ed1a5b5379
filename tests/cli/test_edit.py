"""beatd edit, remove, pause and resume"""

from pathlib import Path

import pytest

from tests.cli.conftest import Here


@pytest.fixture
def x(here: Here) -> Here:
    here("add", "x", "--task", "t", "--every", "5m", "--queue", "q", "--args", "[1]")
    return here


@pytest.fixture
def declared(here: Here) -> Here:
    here.config("schedules: [s/]\n")
    here.file("s/a.yaml", "entries: {x: {task: t, every: 5m}}\n")
    here("apply")
    return here


def editor(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    path = folder / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(path))
    monkeypatch.setenv("EDITOR", str(path))


def test_fields_that_are_not_named_stay(x: Here) -> None:
    out = x("edit", "x", "--priority", "3", "--tz", "Asia/Tokyo").out
    assert "+     tz: Asia/Tokyo" in out
    row = x.json("show", "x")
    assert row["options"] == {"queue": "q", "priority": 3}
    assert (row["args"], row["tz"], row["schedule"]) == ([1], "Asia/Tokyo", {"every": "5m"})


def test_another_kind_of_schedule_takes_the_place_of_the_old(x: Here) -> None:
    assert x.json("edit", "x", "--cron", "@daily")["schedule"] == {"cron": "@daily"}
    row = x.json("edit", "x", "--crontab", "minute=0", "hour=4")
    assert set(row["schedule"]) == {"crontab"}


def test_unset_goes_back_to_the_default(x: Here) -> None:
    row = x.json("edit", "x", "--unset", "options.queue", "--unset", "args")
    assert (row["options"], row["args"]) == ({}, [])
    assert "is not a key of an entry" in x("edit", "x", "--unset", "quue", code=2).line
    assert "task: is missing" in x("edit", "x", "--unset", "task", code=2).line


def test_disabling_and_enabling(x: Here) -> None:
    assert x.json("edit", "x", "--disabled")["next"] is None
    assert x.json("edit", "x", "--enabled")["next"] is not None


def test_an_edit_without_effect_says_so(x: Here) -> None:
    assert x("edit", "x", "--every", "300s").out == "x is like that already\n"


def test_the_editor_gets_yaml_and_only_what_it_changed_is_patched(
    x: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(
        x.folder, monkeypatch, 'sed -i "s/every: .*/cron: \\"@daily\\"/; s/queue: q/queue: r/" $1'
    )
    x("edit", "x")
    row = x.json("show", "x")
    assert (row["schedule"], row["options"]) == ({"cron": "@daily"}, {"queue": "r"})
    editor(x.folder, monkeypatch, "true")
    assert x("edit", "x").line == "nothing was changed"


def test_what_the_editor_left_wrong_is_told_and_nothing_changed(
    x: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(x.folder, monkeypatch, 'sed -i "s/5m/5x/" $1')
    ended = x("edit", "x", code=1)  # asked again, and nobody answered
    assert "'5x' is not a duration" in ended.err and "nothing was changed" in ended.err
    assert x.json("show", "x")["schedule"] == {"every": "5m"}


def test_what_a_file_declares_is_not_edited_unless_it_changes_hands(declared: Here) -> None:
    line = declared("edit", "x", "--every", "1h", code=1).line
    assert "entry 'x' is declared in s/a.yaml (source yaml:config)" in line
    row = declared.json("edit", "x", "--every", "1h", "--force")
    assert (row["source"], row["schedule"]) == ("cli", {"every": "1h"})
    assert "is not applied: cli owns" in declared("apply", code=1).line


def test_a_forced_edit_says_who_owns_the_entry_now(declared: Here) -> None:
    said = "x is now owned by cli; s/a.yaml no longer changes it"
    out = declared("edit", "x", "--every", "1h", "--force").out
    assert out.splitlines()[0] == "~ x" and out.splitlines()[-1] == said
    assert said not in declared("edit", "x", "--every", "2h", "--force").out
    assert "from" in declared("show", "x").out


def test_a_forced_edit_of_nothing_else_takes_the_entry_over(declared: Here) -> None:
    assert declared("edit", "x", "--every", "5m", "--force").out == (
        "x is now owned by cli; s/a.yaml no longer changes it\n"
    )


def test_removing_what_a_file_declares_says_where(declared: Here) -> None:
    line = declared("remove", "x", code=1).line
    assert "declared in s/a.yaml" in line and "was not removed" in line
    assert declared("remove", "x", "--force").out == (
        "removed x; it returns at the next apply if s/a.yaml still declares it\n"
    )
    assert declared.json("list") == []
    declared("apply")
    assert len(declared.json("list")) == 1


def test_all_are_removed_or_none(x: Here) -> None:
    x("add", "y", "--task", "t", "--every", "5m")
    assert "no entry 'z'" in x("remove", "x", "z", code=1).line
    assert x("remove", "x", "y").out == "removed x\nremoved y\n"
    assert x.json("list") == []


def test_a_pause_outlives_apply(declared: Here) -> None:
    assert declared("pause", "x").out == "paused x\n"
    assert declared("pause", "x").out == "x was paused already\n"
    declared.file("s/a.yaml", "entries: {x: {task: t, every: 1h}}\n")
    declared("apply")
    row = declared.json("show", "x")
    assert (row["paused"], row["next"], row["schedule"]) == (True, None, {"every": "1h"})
    assert declared.json("resume", "x") == {"resumed": ["x"]}
    assert declared.json("show", "x")["next"] is not None
    assert "no entry 'y'" in declared("pause", "y", code=1).line


def test_resume_says_how_it_is(x: Here) -> None:
    assert x("resume", "x").out == "x was not paused\n"
    assert x("pause", "x").out == "paused x\n"
    assert x("resume", "x").out == "resumed x\n"
    x("edit", "x", "--disabled")
    assert x("resume", "x").out == "x was not paused; it is disabled, and does not run\n"
    assert x("pause", "x").out == "paused x; it is disabled, and does not run\n"
    assert x("resume", "x").out == "resumed x; it is disabled, and does not run\n"
