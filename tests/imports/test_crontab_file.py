"""System crontab files, a user's and the system's."""

from pathlib import Path

import pytest

from beatd.errors import BeatError
from beatd.imports import Imported, to_entries
from beatd.imports.crontab_file import has_user_column, read_crontab


def taken(path: Path, text: str, **more: object) -> Imported:
    path.write_text(text)
    read = read_crontab(path, **{"runner": "proj.shell", **more})  # type: ignore[arg-type]
    made = to_entries(read.found, timezone="Europe/Berlin", source="crontab")
    return Imported(made.entries, (*read.refused, *made.refused))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tab"


def test_a_command_becomes_the_argument_of_the_task_that_runs_commands(path: Path) -> None:
    made = taken(path, "# tidy\nMAILTO=ops\n30 2 * * *   /opt/tidy --all  \n@hourly\t/opt/look\n")
    tidy, look = (one.entry for one in made.entries)
    assert (tidy.task, tidy.args) == ("proj.shell", ("/opt/tidy --all",))
    assert (tidy.name, tidy.schedule.plain()) == ("/opt/tidy --all", {"cron": "30 2 * * *"})
    assert tidy.tz == "Europe/Berlin"
    assert look.schedule.plain() == {"cron": "@hourly"}


def test_the_systems_crontab_has_a_column_for_the_user(tmp_path: Path) -> None:
    made = taken(tmp_path / "crontab", "17 * * * * root cd / && run-parts /etc/cron.hourly\n")
    assert made.entries[0].entry.args == ("cd / && run-parts /etc/cron.hourly",)
    made = taken(tmp_path / "crontab", "@daily www-data /opt/x\n")
    assert made.entries[0].entry.args == ("/opt/x",)
    assert "www-data" in made.entries[0].notes[0]
    assert has_user_column(Path("/etc/crontab"))
    assert has_user_column(Path("/etc/cron.d/php"))
    assert not has_user_column(Path("/var/spool/cron/crontabs/joe"))


def test_a_line_that_calls_celery_becomes_the_task(path: Path) -> None:
    text = (
        "0 5 * * * cd /srv/app && venv/bin/celery -A proj call proj.report --args='[2]' "
        "--kwargs '{\"full\": true}' --queue slow --expires 60\n"
    )
    (one,) = taken(path, text, runner=None).entries
    entry = one.entry
    assert (entry.name, entry.task, entry.args) == ("proj.report", "proj.report", (2,))
    assert entry.kwargs == {"full": True}
    assert entry.options == {"queue": "slow", "expires": 60}


@pytest.mark.parametrize(
    "command",
    [
        "celery -A proj call proj.x | logger",
        "celery -A proj call proj.x > /dev/null",
        "rm -rf /x && celery -A proj call proj.x",
        "celery -A proj call",
        "celery -A proj call proj.x --args='[1'",
        "echo 'celery call x'",
    ],
)
def test_what_only_a_shell_understands_stays_a_command(path: Path, command: str) -> None:
    (one,) = taken(path, f"0 5 * * * {command}\n").entries
    assert (one.entry.task, one.entry.args) == ("proj.shell", (command,))


def test_zones_percent_signs_and_equal_commands(path: Path) -> None:
    made = taken(
        path,
        "CRON_TZ=America/New_York\n0 1 * * * date +\\%F\n0 2 * * * mail x%hello\n"
        "CRON_TZ=UTC\n0 3 * * * mail x\n",
    )
    one, two, three = made.entries
    assert (one.entry.tz, one.entry.args) == ("America/New_York", ("date +%F",))
    assert two.entry.args == ("mail x",)
    assert "input" in two.notes[0]
    assert (three.entry.tz, three.entry.name) == ("UTC", "mail x (2)")


def test_each_bad_line_is_told_with_its_place(path: Path) -> None:
    made = taken(path, "@reboot /opt/x\n61 * * * * /opt/y\n* * * *\n5 * * * * /opt/good\n")
    assert [one.entry.name for one in made.entries] == ["/opt/good"]
    reasons = {no.name: no.reason for no in made.refused}
    assert "starts" in reasons["tab:1"]
    assert "61" in reasons["/opt/y"]
    assert "no command" in reasons["tab:3"]


def test_shell_commands_need_a_task_that_runs_them(path: Path) -> None:
    (no,) = taken(path, "5 * * * * /opt/x\n", runner=None).refused
    assert "--task" in no.reason


def test_a_missing_file_is_one_line(path: Path) -> None:
    with pytest.raises(BeatError, match="no such file"):
        read_crontab(path, runner=None)


def test_arguments_that_are_nested_too_deeply_refuse_their_line_alone(path: Path) -> None:
    deep = "[" * 50_000
    path.write_text(f"0 4 * * * celery -A p call t -a '{deep}'\n0 5 * * * celery -A p call u\n")
    read = read_crontab(path, runner=None)
    assert [one.name for one in read.found] == ["u"]
    assert [(no.name, no.reason) for no in read.refused] == [
        (f"{path.name}:1", "is nested deeper than 50 levels")
    ]
