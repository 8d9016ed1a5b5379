"""beatd apply and export"""

import pytest

from beatd.definition import KINDS
from tests.cli.conftest import Here

TWO = "entries:\n  a: {task: t, every: 1m}\n  b: {task: t, every: 1m}\n"

ODD = """
timezone: Asia/Tokyo
entries:
  plain: {task: t, every: 30s}
  "no": {task: t, cron: "0 0 * * *", description: "two\\nlines: #, and \\u2028"}
  "12:30": {task: t, crontab: {minute: 0, day_of_week: "mon,fri"}, enabled: false}
  "a: b #c 😀": {task: t, at: 2036-01-01T09:00:00}
  everything:
    task: t
    every: 1h
    phase: 7s
    tz: Europe/Berlin
    args: [yes, "yes", "1", 1, 1.0, 1e3, "0x10", null, "~", "", " ", "$${HOME}", [[]], {}]
    kwargs: {"on": true, "1": "2026-01-01", n: .5, big: 1.0e+30, "$${x}": "$$${y}"}
    options: {queue: q, headers: {"x:y": "é"}, expires: next, priority: 0}
    start: 2026-01-01T00:00:00.5Z
    end: 2036-01-01
    max_runs: 5
    jitter: 1.5s
    catch_up: all
    catch_up_max: 3
    on_unknown: skip
    overlap: queue
    max_run: 90m
  gap: {task: t, cron: "30 2 * * *", dst_gap: skip, dst_fold: both}
"""


def test_apply_adds_changes_and_prints_the_difference(here: Here) -> None:
    here.file("e.yaml", TWO)
    assert here("apply", "e.yaml").out.splitlines()[-1] == (
        "2 added, 0 changed, 0 removed, 0 unchanged"
    )
    here.file("e.yaml", TWO.replace("b: {task: t, every: 1m}", "b: {task: t, every: 2m}"))
    out = here("apply", "e.yaml").out
    assert "~ b\n" in out and '-     every: "1m"\n+     every: "2m"\n' in out
    assert out.endswith("0 added, 1 changed, 0 removed, 1 unchanged\n")


def test_a_dry_run_changes_nothing(here: Here) -> None:
    here.file("e.yaml", TWO)
    found = here.json("apply", "--dry-run", "e.yaml")
    assert (found["added"], found["dry_run"]) == (["a", "b"], True)
    assert "would be 2 added" in here("apply", "--dry-run", "e.yaml").out
    assert here.names() == []


def test_files_prune_only_when_asked(here: Here) -> None:
    here.file("e.yaml", TWO)
    here("apply", "e.yaml")
    here.file("e.yaml", "entries: {a: {task: t, every: 1m}}")
    assert here.json("apply", "e.yaml")["kept"] == ["b"]
    assert here.json("apply", "--prune", "e.yaml")["removed"] == ["b"]
    here.file("e.yaml", "entries: {}")
    assert here.json("apply", "--prune", "e.yaml")["removed"] == ["a"]


def test_another_name_is_another_owner(here: Here) -> None:
    here.file("e.yaml", TWO)
    here("apply", "e.yaml", "--name", "team-a")
    assert {row["source"] for row in here.json("list")} == {"yaml:team-a"}
    here.file("e.yaml", TWO.replace("1m", "2m"))
    ended = here("apply", "--prune", "e.yaml", code=1)
    assert "e.yaml:2: entry 'a' is not applied: yaml:team-a (e.yaml)" in ended.err
    assert {row["schedule"]["every"] for row in here.json("list")} == {"1m"}


def test_whoever_names_an_owner_is_told_that_another_holds_it(here: Here) -> None:
    here.file("e.yaml", TWO)
    here("apply", "e.yaml", "--name", "team-a")
    ended = here("apply", "e.yaml", "--name", "team-b", code=1)
    assert "entry 'a' is not applied: yaml:team-a" in ended.err
    assert "0 unchanged" in ended.out


@pytest.mark.parametrize(
    ("given", "owner"), [("jobs.yaml", "yaml:jobs"), ("more/", "yaml:more"), ("s/", "yaml:config")]
)
def test_what_the_configuration_does_not_cover_has_an_owner_of_its_own(
    here: Here, given: str, owner: str
) -> None:
    here.config("schedules: [s/]\nentries: {own: {task: t, every: 1m}}\n")
    here.file("s/covered.yaml", "entries: {covered: {task: t, every: 1m}}")
    here.file("jobs.yaml", "entries: {x: {task: t, every: 1m}}")
    here.file("more/y.yaml", "entries: {y: {task: t, every: 1m}}")
    here("apply", given)
    assert {row["source"] for row in here.json("list")} == {owner}
    added = here.json("apply")
    assert not added["removed"], "the configuration prunes its own alone"


def test_a_part_of_the_configuration_prunes_that_part_alone(here: Here) -> None:
    here.config("schedules: [s/]\nentries: {own: {task: t, every: 1m}}\n")
    here.file("s/e.yaml", TWO)
    here.file("s/f.yaml", "entries: {c: {task: t, every: 1m}}")
    here("apply")
    here.file("s/e.yaml", "entries: {a: {task: t, every: 1m}}")
    assert here.json("apply", "s/e.yaml")["kept"] == ["b"]
    found = here.json("apply", "s/e.yaml", "--prune", "--dry-run")
    assert (found["removed"], found["kept"], found["unchanged"]) == (["b"], [], 1)
    here("apply", "s/e.yaml", "--prune")
    assert [row["name"] for row in here.json("list")] == ["a", "c", "own"]
    assert here.json("apply")["unchanged"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("more/*.yaml",), "'more/*.yaml': whose are these entries? give --name"),
        (("more/e.yaml", "--name", "config"), "yaml:config is the configuration, whose daemon"),
    ],
)
def test_an_owner_that_cannot_be_is_refused(here: Here, words: tuple[str, ...], said: str) -> None:
    here.config("schedules: [s/]\n")
    here.file("more/e.yaml", TWO)
    assert said in here("apply", *words, code=2).line
    assert here.names() == []


def test_without_a_file_what_the_configuration_declares_is_applied(here: Here) -> None:
    here.config("schedules: [s/]\nentries: {own: {task: t, every: 1m}}\n")
    here.file("s/e.yaml", TWO)
    assert here.json("apply")["added"] == ["own", "a", "b"]
    here.file("s/e.yaml", "")
    found = here.json("apply")
    assert (found["kept"], found["unchanged"]) == (["a", "b"], 1)
    assert "2 kept (--prune removes them)" in here("apply").out
    assert here.json("apply", "--prune")["removed"] == ["a", "b"]


def test_a_folder_that_is_gone_is_pruned_only_when_asked(here: Here) -> None:
    here.config("schedules: [s/]\nentries: {own: {task: t, every: 1m}}\n")
    path = here.file("s/e.yaml", TWO)
    here("apply")
    path.unlink()
    path.parent.rmdir()
    found = here("apply")
    assert "2 kept (--prune removes them)" in found.out
    assert "note:" in found.err and "'s/' does not exist" in found.err
    found = here("apply", "--prune", "--dry-run")
    assert "- a: t, every 1m\n" in found.out and "2 removed" in found.out
    assert "note:" in found.err and "'s/' does not exist" in found.err
    assert here.json("apply", "--prune")["removed"] == ["a", "b"]
    assert [row["name"] for row in here.json("list")] == ["own"]


def test_a_file_deleted_among_others_takes_its_entries_along(here: Here) -> None:
    here.config("schedules: [s/]\n")
    here.file("s/keep.yaml", "entries: {own: {task: t, every: 1m}}\n")
    path = here.file("s/e.yaml", TWO)
    here("apply")
    path.unlink()
    assert here.json("apply")["removed"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("entries: {a: {task: t", "e.yaml:"),
        ("entries: {a: {task: t, every: 5x}}", "e.yaml:1: entries.a.every: '5x' is not a duration"),
        ("x: 1", "e.yaml"),
        ("[1]", "e.yaml:1"),
    ],
)
def test_an_invalid_file_changes_nothing(here: Here, text: str, said: str) -> None:
    here.file("good.yaml", TWO)
    here.file("e.yaml", text)
    assert f"beatd: {said}" in here("apply", "good.yaml", "e.yaml", code=2).err
    assert here.names() == []


def test_a_missing_file_is_told_in_a_line(here: Here) -> None:
    line = here("apply", "nope.yaml", code=2).line
    assert line == "beatd: 'nope.yaml' does not exist; is the path right?"


def test_an_export_is_taken_back_unchanged(here: Here) -> None:
    here.file("e.yaml", ODD)
    here("apply", "e.yaml")
    here("add", "by-hand", "--task", "t", "--every", "5m", "--args", '["x: y"]')
    before = {row["name"]: row for row in here.json("list")}
    exported = here("export").out
    here.file("out.yaml", exported)
    done = here.json("apply", "out.yaml", "--prune")
    assert done["unchanged"] == len(before) == 7
    assert not (done["added"] or done["changed"] or done["removed"] or done["conflicts"])
    assert {row["name"]: row for row in here.json("list")} == before


def test_an_export_fills_an_empty_store_with_the_same(here: Here) -> None:
    here.file("e.yaml", ODD)
    here("apply", "e.yaml")
    exported = here("export").out
    here.file("out.yaml", exported)
    store = f"sqlite:///{here.folder}/new.db"
    assert here("apply", "out.yaml", "--store", store).err == ""  # and warns of nothing
    assert here("export", "--store", store).out == exported


def test_an_export_of_some(here: Here) -> None:
    here.file("e.yaml", TWO)
    here("apply", "e.yaml")
    here("add", "by-hand", "--task", "t", "--every", "5m")
    assert list(here.json("export", "a")["entries"]) == ["a"]
    entries = here.json("export", "--source", "cli")["entries"]
    assert list(entries) == ["by-hand"] and set(entries["by-hand"]) & set(KINDS)
    assert "no entry 'z'" in here("export", "z", code=1).line


def test_an_empty_store_exports_no_entries(here: Here) -> None:
    here.store().close()
    assert here("export").out == "entries: {}\n"


def test_an_export_is_taken_back_as_it_was_beside_defaults(here: Here) -> None:
    here.config("defaults: {options: {queue: periodic}, jitter: 5s}\n")
    here("add", "bare", "--task", "t", "--every", "5m")
    exported = here("export").out
    here.file("out.yaml", exported)
    assert here.json("apply", "out.yaml")["unchanged"] == 1
    here("remove", "bare")
    here("apply", "out.yaml")
    assert here("export").out == exported
