"""Entries declared in files, and noticed when they change."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from beatd.config import load_config
from beatd.sources.files import Files
from tests.fake_clock import FakeClock

CONFIG = """
broker: {url: "memory://"}
schedules: [schedules/]
entries:
  own: {task: t, every: 1m}
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "schedules").mkdir()
    declare(tmp_path, "a", "one", "two")
    declare(tmp_path, "b", "three")
    return tmp_path


def declare(folder: Path, file: str, *names: str, every: str = "1m") -> None:
    lines = [f"  {name}: {{task: t, every: {every}}}\n" for name in names]
    (folder / "schedules" / f"{file}.yaml").write_text("entries:\n" + "".join(lines))


def files(folder: Path, clock: FakeClock) -> Files:
    return Files(load_config(folder / "config.yaml").config, clock)


def names(source: Files) -> list[str]:
    return [entry.name for entry in source.read().declared.entries]


def changed(source: Files, clock: FakeClock) -> bool:
    """Within a second and the time that a file takes to settle."""
    clock.advance(seconds=1)
    first = source.changed()
    clock.advance(seconds=0.25)
    return first or source.changed()


def test_the_config_and_its_files_are_one_set(folder: Path, clock: FakeClock) -> None:
    reading = files(folder, clock).read()
    assert [(e.name, e.declared_at, e.source) for e in reading.declared.entries] == [
        ("own", "config.yaml", "yaml:config"),
        ("one", "schedules/a.yaml", "yaml:config"),
        ("two", "schedules/a.yaml", "yaml:config"),
        ("three", "schedules/b.yaml", "yaml:config"),
    ]
    assert not reading.problems and not reading.declared.doubtful


def test_a_line_more_is_no_change_of_those_below(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    before = source.read().declared
    path = folder / "schedules/a.yaml"
    path.write_text("# a comment\n\n" + path.read_text())
    assert source.read().declared.entries == before.entries


def test_nothing_changed_is_told_so_without_looking_again(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    assert not changed(source, clock)
    declare(folder, "a", "one")
    assert not source.changed()  # looked less than a second ago


@pytest.mark.parametrize("how", ["edit", "new", "gone", "replaced", "config"])
def test_a_change_is_noticed(folder: Path, clock: FakeClock, how: str) -> None:
    source = files(folder, clock)
    source.read()
    path = folder / "schedules/a.yaml"
    if how == "edit":
        declare(folder, "a", "one")
    elif how == "new":
        declare(folder, "c", "four")
    elif how == "gone":
        path.unlink()
    elif how == "replaced":
        # The same size and the same time: another file all the same.
        stat = path.stat()
        other = folder / "other"
        other.write_text(path.read_text().replace("one", "uno"))
        os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        other.rename(path)
    else:
        (folder / "config.yaml").write_text(CONFIG.replace("own:", "mine:"))
    assert changed(source, clock)
    source.read()
    assert not changed(source, clock)


def test_a_file_that_is_being_written_is_left_to_settle(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    clock.advance(seconds=1)
    for count in range(1, 5):
        declare(folder, "a", *"wxyz"[:count])
        assert not source.changed()
        clock.advance(seconds=0.2)
    source.changed()
    clock.advance(seconds=0.2)
    assert source.changed()


def test_a_config_map_that_turns_its_link_is_noticed(tmp_path: Path, clock: FakeClock) -> None:
    """As Kubernetes mounts one: file -> ..data/file, ..data -> ..2026_01."""
    mount = tmp_path / "schedules"
    mount.mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    for version, name in (("..2026_01", "old"), ("..2026_02", "new")):
        (mount / version).mkdir()
        text = f"entries:\n  {name}: {{task: t, every: 1m}}\n"
        (mount / version / "jobs.yaml").write_text(text)
        os.utime(mount / version / "jobs.yaml", (1, 1))
    (mount / "..data").symlink_to("..2026_01")
    (mount / "jobs.yaml").symlink_to("..data/jobs.yaml")
    source = files(tmp_path, clock)
    assert names(source) == ["own", "old"]
    (mount / "..data_tmp").symlink_to("..2026_02")
    (mount / "..data_tmp").rename(mount / "..data")
    assert changed(source, clock)
    assert names(source) == ["own", "new"]


def test_a_file_that_became_invalid_keeps_what_it_declared(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    (folder / "schedules/a.yaml").write_text("entries:\n  one: {task: t, every: 5x}\n")
    declare(folder, "b", "four")
    reading = source.read()
    assert [entry.name for entry in reading.declared.entries] == ["own", "one", "two", "four"]
    assert "5x" in str(reading.problems[0])
    declare(folder, "a", "one")
    assert names(source) == ["own", "one", "four"]


def test_a_file_that_never_was_valid_is_in_doubt(folder: Path, clock: FakeClock) -> None:
    (folder / "schedules/a.yaml").write_text("entries:\n  one: {task: t, every: 5x}\n")
    declared = files(folder, clock).read().declared
    assert declared.doubtful == ("schedules/a.yaml",)
    assert declared.unread == {"one"}


@pytest.mark.parametrize("text", ["", "entries: {}\n", "entries:\n"])
def test_an_empty_file_is_in_doubt(folder: Path, clock: FakeClock, text: str) -> None:
    (folder / "schedules/a.yaml").write_text(text)
    assert files(folder, clock).read().declared.doubtful == ("schedules/a.yaml",)


def test_a_missing_folder_is_in_doubt(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    (folder / "schedules").rename(folder / "away")
    assert changed(source, clock)
    assert source.read().declared.doubtful == ("schedules",)


def test_a_config_that_became_invalid_keeps_its_entries(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    (folder / "config.yaml").write_text("entries: [")
    reading = source.read()
    assert reading.declared.entries[0].name == "own"
    assert reading.problems


def test_a_config_may_name_other_files(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    text = CONFIG.replace("[schedules/]", "[schedules/b.yaml]")
    (folder / "config.yaml").write_text(text)
    assert names(source) == ["own", "three"]
    changed(source, clock)
    source.read()
    declare(folder, "a", "one", "more")
    assert not changed(source, clock)


def test_a_name_declared_twice_is_a_problem_and_the_first_counts(
    folder: Path, clock: FakeClock
) -> None:
    declare(folder, "b", "one", every="1h")
    reading: Any = files(folder, clock).read()
    assert "schedules/a.yaml:2 already" in str(reading.problems[0])
    every = {entry.name: entry.schedule.plain() for entry in reading.declared.entries}
    assert every["one"] == {"every": "1m"}


def test_what_a_file_declared_is_forgotten_with_it(folder: Path, clock: FakeClock) -> None:
    source = files(folder, clock)
    source.read()
    (folder / "schedules/b.yaml").unlink()
    assert names(source) == ["own", "one", "two"]
    (folder / "schedules/b.yaml").write_text("entries:\n  other: {task: t, every: 5x}\n")
    declared = source.read().declared
    assert [entry.name for entry in declared.entries] == ["own", "one", "two"]
    assert declared.unread == {"other"}


# settings that a running daemon does not use before a reload


def unused(source: Files) -> tuple[str, ...]:
    return source.read().needs_reload


def test_changed_settings_need_a_reload_and_are_logged_once_per_change(
    folder: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "beatd")
    source, file = files(folder, clock), folder / "config.yaml"
    assert unused(source) == () and not caplog.messages
    file.write_text(CONFIG + "alerts: {wait: 1m}\nhttp: {bind: 127.0.0.1:9753}\n")
    assert unused(source) == ("http", "alerts")
    assert unused(source) == ("http", "alerts")
    (line,) = caplog.messages
    assert line == (
        f"{file}: http and alerts differ from what this daemon started with; "
        "reload it (SIGHUP) or restart it to use the new settings"
    )
    file.write_text(CONFIG + "alerts: {wait: 2m}\nhttp: {bind: 127.0.0.1:9753}\n")
    assert unused(source) == ("http", "alerts") and len(caplog.messages) == 2
    file.write_text(CONFIG + "  more: {task: t, every: 2m}\n")
    assert unused(source) == ()
    assert caplog.messages[2:] == [f"{file}: no setting differs any more from those of the start"]


def test_entries_and_what_they_use_need_no_reload(folder: Path, clock: FakeClock) -> None:
    source, file = files(folder, clock), folder / "config.yaml"
    file.write_text(
        CONFIG.replace("schedules: [schedules/]", "schedules: [schedules/a.yaml]")
        + "timezone: Europe/Berlin\ndefaults: {options: {queue: q}}\nx-mine: 1\n"
    )
    assert unused(source) == ()
    assert unused(files(folder, clock)) == ()


@pytest.mark.parametrize(
    ("more", "section"),
    [
        ("name: other\n", "name"),
        ("app: proj:app\n", "app"),
        ("monitors: {sentry: {dsn: https://0123456789abcdef@sentry.example/1}}\n", "monitors"),
        ("log: {level: debug}\n", "log"),
        ("outcomes: 'off'\n", ""),  # wrong: reported as such, and nothing else
    ],
)
def test_each_other_section_needs_one(
    folder: Path, clock: FakeClock, more: str, section: str
) -> None:
    source = files(folder, clock)
    (folder / "config.yaml").write_text(CONFIG + more)
    assert unused(source) == ((section,) if section else ())


def test_an_app_of_the_command_line_is_no_change_of_the_file(
    folder: Path, clock: FakeClock
) -> None:
    config = load_config(folder / "config.yaml", app="proj:app").config
    assert unused(Files(config, clock)) == ()


@pytest.mark.parametrize("typed", ["config.yaml", "/whole/path"])
def test_a_file_is_named_as_the_configuration_was_typed(
    folder: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.chdir(folder)
    shown = Path("config.yaml") if typed == "config.yaml" else folder / "config.yaml"
    source = Files(load_config(shown).config, clock)
    file = folder / "schedules/a.yaml"
    file.write_text("one: {task: t, every: 1m}\n")
    (problem,) = source.read().problems
    at = "schedules/a.yaml" if typed == "config.yaml" else str(file)
    assert problem.place == f"{at}:1"
    declare(folder, "a", "one")
    assert source.read().valid_again == (at,)
