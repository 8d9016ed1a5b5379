"""Entry files: which are found, what is in them, and what an invalid one does."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack, chdir
from pathlib import Path

import pytest

from beatd.config import EntryFiles, load_entries

Write = Callable[[str, str], Path]
ONE = "entries: {%s: {task: t, every: 5s}}\n"


def names(found: EntryFiles) -> list[str]:
    return [entry.name for entry in found.entries]


def test_files_folders_and_globs_are_found_once_each(tmp_path: Path, write: Write) -> None:
    for name in ("s/b.yaml", "s/a.yml", "s/deep/c.yaml", "other.yaml"):
        write(name, ONE % Path(name).stem)
    found = load_entries(["s", "s/*.yaml", "other.yaml", "**/*.yaml"], folder=str(tmp_path))
    assert names(found) == ["a", "b", "c", "other"]
    assert found.problems == () and found.missing == ()


def test_what_is_hidden_or_no_yaml_is_left_alone(tmp_path: Path, write: Write) -> None:
    for name in ("s/.a.yaml", "s/b.yaml~", "s/c.txt", "s/.git/d.yaml", "s/e.yaml"):
        write(name, ONE % "x")
    assert len(load_entries(["s"], folder=str(tmp_path)).files) == 1


def test_a_config_map_is_read_once_through_its_links(tmp_path: Path, write: Write) -> None:
    write("s/..2026/a.yaml", ONE % "a")
    (tmp_path / "s/..data").symlink_to("..2026")
    (tmp_path / "s/a.yaml").symlink_to("..data/a.yaml")
    (tmp_path / "s/loop").symlink_to(".")
    assert names(load_entries(["s"], folder=str(tmp_path))) == ["a"]


def test_places_that_hold_nothing_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = load_entries(["empty", "*.yaml", "gone.yaml"], folder=str(tmp_path), shown="c.yaml")
    assert found.missing == ("empty", "*.yaml", "gone.yaml")
    assert [(str(p), p.warning) for p in found.problems] == [
        ("c.yaml: schedules: 'empty' has no YAML file in it", True),
        ("c.yaml: schedules: '*.yaml' matches no file", True),
        ("c.yaml: schedules: 'gone.yaml' does not exist; is the path right?", False),
    ]


def test_a_folder_of_the_configuration_may_be_missing_and_a_file_may_not(tmp_path: Path) -> None:
    places = ["s/", "teams", "gone.yaml"]
    found = load_entries(places, folder=str(tmp_path), missing_folder_warns=True)
    assert found.missing == ("s/", "teams", "gone.yaml")
    assert [problem.warning for problem in found.problems] == [True, True, False]
    typed = load_entries(places, folder=str(tmp_path))
    assert [problem.warning for problem in typed.problems] == [False, False, False]


def test_a_folder_that_cannot_be_listed_is_missing_and_told(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("s/a.yaml", ONE % "a")
    write("s/closed/b.yaml", ONE % "b")
    scandir = os.scandir

    def refusing(folder: str) -> object:  # root may list all of them
        if folder.endswith("closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    found = load_entries(["s"], folder=str(tmp_path), shown="c.yaml")
    assert names(found) == ["a"] and found.missing == ("s/closed",)
    assert [(str(p), p.warning) for p in found.problems] == [
        ("c.yaml: schedules: 's/closed' cannot be read: permission denied", True)
    ]
    for place in ("s/closed", "s/**/*.yaml", "s/*/*.yaml"):
        found = load_entries([place], folder=str(tmp_path), shown="c.yaml")
        assert "s/closed" in found.missing, place
        assert len(found.problems) == 1, place
    assert names(load_entries(["s/*.yaml"], folder=str(tmp_path), shown="c.yaml")) == ["a"]


@pytest.mark.parametrize("kind", ["a FIFO", "a socket", "a device"])
@pytest.mark.parametrize("place", ["s", "s/*.yaml", "s/never.yaml"])
def test_what_would_be_read_without_end_is_left_out_and_told(
    tmp_path: Path, write: Write, kind: str, place: str
) -> None:
    write("s/good.yaml", ONE % "good")
    never = tmp_path / "s/never.yaml"
    with ExitStack() as closing:
        if kind == "a FIFO":
            os.mkfifo(never)
        elif kind == "a socket":
            listening = closing.enter_context(socket.socket(socket.AF_UNIX))
            with chdir(tmp_path / "s"):  # the path of a socket is short
                listening.bind("never.yaml")
        else:
            never.symlink_to("/dev/zero")
        found = load_entries([place], folder=str(tmp_path), shown="c.yaml")
    (problem,) = found.problems
    assert f"never.yaml' is {kind} and no file; it was left out" in str(problem)
    assert problem.warning == (place != "s/never.yaml")
    assert names(found) == ([] if place == "s/never.yaml" else ["good"])
    assert len(found.missing) == 1, "what it declared before is not removed"


def test_a_fifo_of_the_shell_is_read(tmp_path: Path) -> None:
    read, write_end = os.pipe()
    os.write(write_end, (ONE % "piped").encode())
    os.close(write_end)
    try:
        assert names(load_entries([f"/dev/fd/{read}"], folder=str(tmp_path))) == ["piped"]
    finally:
        os.close(read)


def test_a_file_has_its_own_zone_and_defaults(tmp_path: Path, write: Write) -> None:
    write(
        "a.yaml",
        "timezone: Europe/Berlin\ndefaults: {options: {priority: 5}, jitter: 1s}\n" + ONE % "a",
    )
    write("b.yaml", ONE % "b")
    found = load_entries(
        ["a.yaml", "b.yaml"],
        folder=str(tmp_path),
        timezone="Asia/Shanghai",
        defaults={"options": {"queue": "q", "priority": 1}},
        source="yaml:east",
    )
    a, b = found.entries
    assert (a.tz, a.options, a.jitter.seconds) == (
        "Europe/Berlin",
        {"queue": "q", "priority": 5},
        1,
    )
    assert (b.tz, b.options) == ("Asia/Shanghai", {"queue": "q", "priority": 1})
    assert (a.source, a.declared_at) == ("yaml:east", "a.yaml:3")


def test_an_invalid_file_gives_no_entries_and_the_names_in_it(tmp_path: Path, write: Write) -> None:
    write("a.yaml", "entries:\n  good: {task: t, every: 5s}\n  bad: {task: t}\n")
    write("b.yaml", ONE % "b")
    found = load_entries(["a.yaml", "b.yaml"], folder=str(tmp_path))
    assert names(found) == ["b"]
    invalid = found.files[0]
    assert not invalid.valid and invalid.names == {"good", "bad"}
    assert str(found.problems[0]).startswith(f"{tmp_path}/a.yaml:3: entries.bad: has no schedule")


def test_a_name_declared_twice_is_told_with_both_places(tmp_path: Path, write: Write) -> None:
    write("a.yaml", ONE % "a")
    write("b.yaml", ONE % "a")
    found = load_entries(["a.yaml", "b.yaml"], folder=str(tmp_path))
    assert f"entries.a: is declared in {tmp_path}/a.yaml:1 already" in str(found.problems[0])
    found = load_entries(["a.yaml"], folder=str(tmp_path), declared_places={"a": "config.yaml:9"})
    assert "is declared in config.yaml:9 already" in str(found.problems[0])


@pytest.mark.parametrize(
    ("text", "said", "valid"),
    [
        ("", "is empty", True),
        ("# x\nentries:\n", "f.yaml:2: entries: is empty", True),
        ("entries: {}\n", None, True),
        ("x-a: 1\nentries: {}\n", None, True),
        ("# x\na: {task: t, every: 5s}\n", "f.yaml:2: has no `entries:`; put", False),
        ("- a\n", "f.yaml:1: ['a'] is not a mapping", False),
        ("entries: {}\nbroker: x\n", "broker: is not a key of an entry file", False),
        ("entries: {}\ntimezone: Mars\n", "timezone: 'Mars' is not a time zone", False),
        ("entries: {}\ndefaults: {task: t}\n", "defaults.task: cannot be a default", False),
        ("entries: {a: {<<: *x}}\n", "stands for nothing", False),
    ],
)
def test_what_a_file_may_be(
    tmp_path: Path, write: Write, text: str, said: str | None, valid: bool
) -> None:
    write("f.yaml", text)
    (file,) = load_entries(["f.yaml"], folder=str(tmp_path)).files
    assert file.valid is valid
    if said is None:
        assert file.problems == ()
    else:
        assert said in str(file.problems[0])
