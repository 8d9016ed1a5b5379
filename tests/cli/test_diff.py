"""beatd diff, on files and on revisions of git."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Beatd, Ended, Here

OLD = """
timezone: Europe/Berlin
entries:
  nightly: {task: t.nightly, cron: "30 1 * * *"}
  sync: {task: t.sync, every: 1h}
  old: {task: t.old, cron: "0 */6 * * *"}
  same: {task: t.same, cron: "@daily"}
"""
NEW = """
timezone: Europe/Berlin
entries:
  nightly: {task: t.nightly, cron: "30 2 * * *"}
  sync: {task: t.sync, every: 10m}
  new: {task: t.new, cron: "0 9 * * mon", tz: Asia/Shanghai}
  same: {task: t.same, cron: "@daily"}
"""
AT = ("--from", "2027-01-04T12:00:00Z")


def git(folder: Path, *words: str) -> None:
    """Run git without the settings of this machine."""
    known = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, env=os.environ | known
    )


@pytest.fixture
def repository(here: Here) -> Here:
    """The branch main has OLD in schedules/a.yaml; the folder has NEW there."""
    (here.folder / "config.yaml").unlink()
    here.file("schedules/a.yaml", OLD)
    here.file("schedules/deep/b.yaml", "entries: {deep: {task: t, every: 1h}}")
    git(here.folder, "init", "-q", "-b", "main")
    git(here.folder, "add", ".")
    git(here.folder, "commit", "-qm", "old")
    here.file("schedules/a.yaml", NEW)
    return here


def names(ended: Ended) -> tuple[object, ...]:
    found = ended.json
    assert isinstance(found, dict)
    entries = found["entries"]
    changed = [one["name"] for one in entries["changed"]]
    return entries["added"], entries["gone"], changed, entries["unchanged"]


def test_the_example_of_the_page_is_what_it_prints(repository: Here, beatd: Beatd) -> None:
    page = (Path(__file__).parents[2] / "docs/entries/in-ci.md").read_text()
    command, expected = page.partition("```\n$ ")[2].partition("```")[0].split("\n", 1)
    same = "".join(f"  same{n}: {{task: t, every: 1h}}\n" for n in range(12))
    nightly = 'timezone: Europe/Berlin\nentries:\n  nightly: {task: t, cron: "30 %s * * *"}\n'
    repository.file("schedules/a.yaml", nightly % 1 + same)
    (repository.folder / "schedules/deep/b.yaml").unlink()
    git(repository.folder, "commit", "-qam", "page")
    invoices = '  invoices: {task: shop.send_invoices, cron: "0 9 * * mon"}\n'
    repository.file("schedules/a.yaml", nightly % 2 + invoices + same)
    ended = beatd(*command.split()[1:], *AT, "--tz", "Europe/Berlin")
    assert ended.out == expected


def test_people_read_what_changes(here: Here, beatd: Beatd) -> None:
    old, new = here.file("old.yaml", OLD), here.file("new.yaml", NEW)
    ended = beatd("diff", old, new, *AT, "-n", 1, "--tz", "Europe/Berlin")
    assert (ended.code, ended.err) == (0, "")
    assert (
        ended.out
        == """\
entries: 1 added, 1 gone, 2 changed, 1 unchanged
+ new: t.new, cron 0 9 * * mon
~ nightly
-     cron: "30 1 * * *"
+     cron: "30 2 * * *"
- old: t.old, cron 0 */6 * * *
~ sync
-     every: "1h"
+     every: "10m"

runs from Mon 2027-01-04 13:00 to Mon 2027-01-11 13:00 Europe/Berlin:
841 added, 28 gone, 7 moved
new: 1 added, Asia/Shanghai
  + Mon 2027-01-11 09:00
nightly: 7 moved, Europe/Berlin
  ~ Tue 2027-01-05 01:30 -> Tue 2027-01-05 02:30, 1 h later
  ~ and 6 more moved
old: 28 gone, Europe/Berlin
  - Mon 2027-01-04 18:00
  - and 27 more gone
sync: 840 added, Europe/Berlin
  + Mon 2027-01-04 13:10
  + and 839 more added

far more often:
  sync: 1,008 runs instead of 168

when clocks change:
  nightly: Sun 2027-03-28 02:30 does not exist: runs at 03:00, Europe/Berlin
"""
    )
    assert max(map(len, ended.out.splitlines())) <= 80


def test_programs_read_every_run(here: Here, beatd: Beatd) -> None:
    old, new = here.file("old.yaml", OLD), here.file("new.yaml", NEW)
    found = beatd("diff", old, new, *AT, "--days", 1, "--json").json
    assert isinstance(found, dict)
    assert (found["from"], found["to"]) == ("2027-01-04T12:00:00Z", "2027-01-05T12:00:00Z")
    assert [run for run in found["runs"] if run["entry"] in ("nightly", "old")] == [
        {
            "entry": "nightly",
            "change": "moved",
            "from": "2027-01-05T00:30:00Z",
            "to": "2027-01-05T01:30:00Z",
        },
        *(
            {"entry": "old", "change": "gone", "at": f"2027-01-{hour}:00:00Z"}
            for hour in ("04T17", "04T23", "05T05", "05T11")
        ),
    ]
    assert found["far_more_often"] == ["sync"]
    assert found["clock_changes"] == [
        {
            "entry": "nightly",
            "at": "2027-03-28T01:00:00Z",
            "effect": "moved",
            "wall": "2027-03-28T02:30:00",
        }
    ]
    assert (found["compared_in_part"], found["not_compared"]) == ({}, [])


@pytest.mark.parametrize(
    "place", ["main:schedules", "HEAD:schedules/", "main:./schedules", "main:", "main:./"]
)
def test_a_revision_of_git(repository: Here, beatd: Beatd, place: str) -> None:
    ended = beatd("diff", place, "schedules", *AT, "--json")
    assert names(ended) == (["new"], ["old"], ["nightly", "sync"], 2)


def test_a_file_of_a_revision_from_a_folder_below(
    repository: Here, beatd: Beatd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.folder / "schedules")
    for place in ("main:schedules/a.yaml", "main:./a.yaml"):
        assert names(beatd("diff", place, "a.yaml", "--json"))[0] == ["new"]
    assert names(beatd("diff", "main:./", ".", "--json"))[3] == 2
    assert names(beatd("diff", "main:./deep", "deep", "--json"))[3] == 1


def test_a_link_of_a_revision_is_followed(repository: Here, beatd: Beatd) -> None:
    (repository.folder / "schedules/link.yaml").symlink_to("../other.yaml")
    repository.file("other.yaml", "entries: {linked: {task: t, every: 1h}}")
    git(repository.folder, "add", ".")
    git(repository.folder, "commit", "-qm", "link")
    assert names(beatd("diff", "HEAD:schedules", "schedules", "--json")) == ([], [], [], 6)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nosuch", "'nosuch' does not exist"),
        ("main:nosuch", "git has no 'nosuch' in main; PATH begins at the root"),
        ("nosuch:schedules", "git has no revision 'nosuch' here; in CI, fetch it first"),
        ("main:plain", "main:plain has no YAML file in it; /dev/null stands for no entries"),
        ("a\nb:c", "is no REV:PATH, because of its line break"),
    ],
)
def test_a_place_that_has_nothing_is_refused(
    repository: Here, beatd: Beatd, place: str, words: str
) -> None:
    repository.file("plain/notes.txt", "x")
    git(repository.folder, "add", "plain")
    git(repository.folder, "commit", "-qm", "notes")
    ended = beatd("diff", place, "schedules")
    assert ended.code == 2
    assert words in ended.line


def test_without_a_repository(here: Here, beatd: Beatd) -> None:
    ended = beatd("diff", "main:schedules", "/dev/null")
    assert ended.code == 2
    assert "this is no git repository" in ended.line


def test_without_git(repository: Here, beatd: Beatd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.folder))
    ended = beatd("diff", "main:schedules", "schedules")
    assert ended.code == 2
    assert "there is no program `git` in PATH" in ended.line


def test_a_wrong_entry_is_named_as_the_user_typed_its_place(repository: Here, beatd: Beatd) -> None:
    repository.file("schedules/c.yaml", "entries: {same: {task: t, cron: '61 * * * *'}}")
    ended = beatd("diff", "main:schedules", "schedules", "--exit-code")
    assert ended.code == 2
    assert "beatd: schedules/c.yaml:1: entries.same.cron: cron '61 * * * *': 61" in ended.err
    git(repository.folder, "add", ".")
    git(repository.folder, "commit", "-qm", "wrong")
    ended = beatd("diff", "HEAD:schedules", "schedules")
    assert "beatd: HEAD:schedules/c.yaml:1: entries.same.cron: cron '61 * * * *': 61" in ended.err
    assert "is declared in HEAD:schedules/a.yaml:7 already" in ended.err


def test_exit_code_tells_whether_there_is_a_difference(here: Here, beatd: Beatd) -> None:
    old, new = here.file("old.yaml", OLD), here.file("new.yaml", NEW)
    assert beatd("diff", old, new).code == 0
    assert beatd("diff", old, new, "--exit-code").code == 1
    same = beatd("diff", old, old, "--exit-code")
    assert (same.code, same.out) == (0, "entries: 4 unchanged\n")


def test_dev_null_has_no_entries(here: Here, beatd: Beatd) -> None:
    new = here.file("new.yaml", NEW)
    assert names(beatd("diff", os.devnull, new, "--json"))[0] == ["new", "nightly", "same", "sync"]


def test_zone_and_defaults_of_the_configuration_count(here: Here, beatd: Beatd) -> None:
    old = here.file("old.yaml", "entries: {x: {cron: 0 2 * * *, task: t}}")
    new = here.file("new.yaml", "entries: {x: {cron: 0 2 * * *, task: t, tz: Europe/Berlin}}")
    assert beatd("diff", old, new, "--exit-code", "--tz", "UTC").code == 1
    assert here("diff", old, new, "--exit-code").out == "entries: 1 unchanged\n"


def test_a_mistake_elsewhere_in_the_configuration_does_not_count(here: Here) -> None:
    here.config("app: nosuch:app\nhttp: {bind: '${NOSUCH}'}\n")
    here("diff", "/dev/null", "/dev/null")
    here.config("defaults: {every: 1h}\n")
    assert "config.yaml:5: defaults.every: cannot be a default" in (
        here("diff", "/dev/null", "/dev/null", code=2).line
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--tz Mars", "--tz: 'Mars' is not a time zone"),
        ("--from x", "--from: 'x' is not a moment"),
        ("--from 9999-12-31", "end after the year 9999; give fewer days"),
        ("--days 0", "0 is not in the range"),
    ],
)
def test_a_wrong_option(here: Here, beatd: Beatd, words: str, message: str) -> None:
    ended = beatd("diff", "/dev/null", "/dev/null", *words.split())
    assert ended.code == 2
    assert message in ended.line


def test_what_was_not_compared_is_said(
    here: Here, beatd: Beatd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.views.set_changes.RUNS_COMPARED_MAX", 1)
    dense = here.file("dense.yaml", "entries: {a: {task: t, every: 1s}, b: {task: t, every: 1h}}")
    ended = beatd("diff", "/dev/null", dense, *AT)
    assert "a: 2100 added, compared up to Mon 2027-01-04 13:35, Europe/Berlin" in ended.out
    assert (
        "runs are compared at most; fewer --days compare more entries\nnot compared: b\n"
        in ended.out
    )


CONFIGURATION = """
broker: {url: "${NOSUCH_URL}"}
timezone: %s
defaults: {options: {queue: %s}}
schedules: [jobs/]
entries:
  nightly: {task: t, cron: "30 1 * * *"}
  hourly: {task: t, every: 1h}
"""


def test_a_configuration_is_read_with_its_zone_its_defaults_and_its_entry_files(
    here: Here, beatd: Beatd
) -> None:
    for folder, zone, queue in (("a", "UTC", "q"), ("b", "Asia/Tokyo", "q"), ("c", "UTC", "r")):
        here.file(f"{folder}/config.yaml", CONFIGURATION % (zone, queue))
        here.file(f"{folder}/jobs/x.yaml", "entries: {x: {task: t, every: 5m}}")
    same = beatd("diff", "a/config.yaml", here.folder / "a/config.yaml", "--exit-code")
    assert (same.code, same.out, same.err) == (0, "entries: 3 unchanged\n", "")
    zoned = names(beatd("diff", "a/config.yaml", "b/config.yaml", *AT, "--json"))
    assert zoned == ([], [], ["hourly", "nightly", "x"], 0)
    queued = names(beatd("diff", "a/config.yaml", "c/config.yaml", *AT, "--json"))
    assert queued == ([], [], ["hourly", "nightly", "x"], 0)
    here.file("c/jobs/x.yaml", "entries: {x: {task: t, evry: 5m}}")
    wrong = beatd("diff", "a/config.yaml", "c/config.yaml")
    assert (wrong.code, wrong.err.count("beatd: c/jobs/x.yaml:1: entries.x.evry: is not")) == (2, 1)


def test_a_configuration_of_a_revision_has_the_entry_files_of_that_revision(
    repository: Here, beatd: Beatd, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "broker: {url: 'memory://'}\nschedules: [schedules/]\n"
    repository.file("config.yaml", text)
    git(repository.folder, "add", "config.yaml")
    git(repository.folder, "commit", "-qm", "configuration")
    ended = beatd("diff", "main:config.yaml", "config.yaml", *AT, "--json")
    assert names(ended) == (["new"], ["old"], ["nightly", "sync"], 2)
    repository.file("config.yaml", text + "entries: {here: {task: t, every: 1h}}\n")
    assert names(beatd("diff", "main:./config.yaml", "config.yaml", "--json"))[0] == ["here", "new"]
    outside = repository.file("deep/config.yaml", text.replace("schedules/", "../schedules/"))
    git(repository.folder, "add", "deep/config.yaml")
    git(repository.folder, "commit", "-qm", "deep")
    ended = beatd("diff", "main:deep/config.yaml", outside, "--json")
    assert names(ended)[1] == [] and ended.line == (
        "beatd: note: main:deep/config.yaml: schedules: '../schedules/' is outside of the folder "
        "in git, and was not read"
    )


def test_a_wrong_configuration_is_named_as_it_was_typed(here: Here, beatd: Beatd) -> None:
    here.file("c.yaml", "broker: {url: 'memory://'}\nentries: {x: {task: t, evry: 5m}}\n")
    assert "beatd: c.yaml:2: entries.x.evry: is not" in beatd("diff", "c.yaml", "/dev/null").err


def test_a_configuration_in_a_folder_of_entry_files_is_called_one(here: Here, beatd: Beatd) -> None:
    here.file("s/c.yaml", "broker: {url: 'memory://'}\nentries: {x: {task: t, every: 5m}}\n")
    assert beatd("diff", "s", "/dev/null").line == (
        "beatd: s/c.yaml:1: broker: is not a key of an entry file; it is one of a configuration"
    )
