"""beatd add"""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec import json

from beatd.cli import main
from beatd.cli.config_option import ConfigOption
from beatd.clock import SystemClock
from tests.cli.conftest import Beatd, Here


def test_an_entry_with_everything(here: Here) -> None:
    row = here.json(
        *("add", "x", "--task", "proj.t", "--cron", "30 2 * * *", "--tz", "Asia/Tokyo"),
        *("--args", '[1, "a"]', "--kwargs", '{"full": true}', "--queue", "q"),
        *("--exchange", "e", "--routing-key", "r.k", "--priority", "5", "--expires", "1h"),
        *("--countdown", "10", "--header", "h=1", "--header", "t=text", "--serializer", "json"),
        *("--option", "time_limit=30", "--start", "2026-01-01", "--end", "2036-01-01"),
        *("--max-runs", "7", "--jitter", "30s", "--catch-up", "all", "--catch-up-window", "1h"),
        *("--on-unknown", "skip", "--dst-fold", "both", "--description", "what for"),
    )
    assert row["schedule"] == {"cron": "30 2 * * *"}
    assert (row["tz"], row["args"], row["kwargs"]) == ("Asia/Tokyo", [1, "a"], {"full": True})
    assert row["options"] == {
        "queue": "q",
        "exchange": "e",
        "routing_key": "r.k",
        "priority": 5,
        "expires": 3600,
        "countdown": 10,
        "headers": {"h": 1, "t": "text"},
        "serializer": "json",
        "time_limit": 30,
    }
    assert (row["max_runs"], row["jitter"], row["catch_up"]) == (7, "30s", "all")
    assert (row["on_unknown"], row["dst_fold"], row["source"]) == ("skip", "both", "cli")
    assert row["next"] is not None and row["start"] == "2025-12-31T15:00:00Z"


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        (("--every", "90"), {"every": "1m30s"}),
        (("--crontab", "minute=0", "hour=*/3"), {"crontab": {"minute": "0", "hour": "*/3"}}),
        (("--crontab", "minute=0", "--crontab", "hour=4"), None),
        (("--at", "2036-01-01T09:00:00+08:00"), None),
        (("--rrule", "FREQ=DAILY;BYHOUR=9"), None),
        (("--every", "1h", "--spread"), None),
    ],
)
def test_every_kind_of_schedule(here: Here, words: Any, schedule: Any) -> None:
    row = here.json("add", "x", "--task", "t", *words)
    assert row["next"] is not None
    assert schedule is None or row["schedule"].keys() == schedule.keys()


def test_the_name_may_come_after_a_crontab(here: Here) -> None:
    here("add", "--task", "t", "--crontab", "minute=0", "hour=3", "x")
    assert here.json("show", "x")["schedule"]["crontab"]


def test_the_zone_is_the_configurations(here: Here) -> None:
    assert here.json("add", "x", "--task", "t", "--cron", "@daily")["tz"] == "Europe/Berlin"


def test_a_schedule_of_another_zone_has_its_name(here: Here) -> None:
    daily = ("--task", "t", "--cron", "0 9 * * *")
    other = here("add", "zz", *daily, "--tz", "Asia/Tokyo").out
    assert other.startswith("added zz: cron 0 9 * * * Asia/Tokyo, in ")
    assert here("add", "here", *daily).out.startswith("added here: cron 0 9 * * *, in ")
    every = here("add", "often", "--task", "t", "--every", "1h", "--tz", "Asia/Tokyo").out
    assert every.startswith("added often: every 1h, in ")
    listed = here("list").out
    assert listed.count("cron 0 9 * * * Asia/Tokyo") == listed.count("Tokyo") == 1


def test_a_disabled_entry_has_nothing_ahead(here: Here) -> None:
    row = here.json("add", "x", "--task", "t", "--every", "5m", "--disabled")
    assert (row["enabled"], row["next"]) == (False, None)


def test_a_taken_name_is_refused_unless_replaced(here: Here) -> None:
    here("add", "x", "--task", "t", "--every", "5m")
    line = here("add", "x", "--task", "u", "--every", "1h", code=1).line
    assert (
        line == "beatd: entry 'x' is there already: added by hand (source cli); nothing was changed"
    )
    here("add", "x", "--task", "u", "--every", "1h", "--replace")
    assert here.json("show", "x")["task"] == "u"


@pytest.mark.parametrize("name", ["two words", "naïve", "日本", "😀", "a" * 250, "a.b:c/d", "*?["])
def test_odd_names_are_names(here: Here, name: str) -> None:
    here("add", name, "--task", "t", "--every", "5m")
    assert here.json("show", name)["name"] == name
    assert [row["name"] for row in here.json("list")] == [name]
    assert name in here("list").out
    here("remove", name)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a" * 300, "tab\there", " blank"])
def test_what_is_no_name_is_refused_in_a_line(here: Here, name: str) -> None:
    assert "name" in here("add", name, "--task", "t", "--every", "5m", code=2).line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--args", "[1"), "--args: '[1' is not JSON"),
        (("--args", "nope"), "--args: 'nope' is not JSON"),
        (("--args", '{"a": 1}'), "is not a list"),
        (("--kwargs", "[1]"), "is not a mapping"),
        (("--priority", "high"), "--priority: 'high' is not a whole number"),
        (("--tz", "Mars/Olympus"), "--tz: 'Mars/Olympus' is not a time zone"),
        (("--option", "x"), "--option: 'x' is not KEY=VALUE"),
        (("--header", "=1"), "--header: '=1' is not KEY=VALUE"),
        (("--catch-up", "never"), "--catch-up: 'never' is none of"),
        (("--catch-up", "all"), "--catch-up: all needs a limit"),
        (("--max-runs", "0"), "--max-runs: 0 is out of range"),
        (("--cron", "@daily"), "--every and --cron are both given"),
        (("more",), "give one name: 'more' came after"),
        *(
            ((option, value), f"{option}: {value!r} is no Unicode text")
            for option, value in (
                ("--args", "[\udcff]"),
                ("--kwargs", "\udcff"),
                ("--chain", "\udcff"),
                ("--expires", "\udcff"),
            )
        ),
        (("--option", "a=\udcff"), "--option: '\\udcff' is no Unicode text"),
        (("--kwargs", '{"__type__": "date", "__value__": "x"}'), "--kwargs: {'__type__': 'date'"),
    ],
)
def test_what_was_asked_wrongly_is_told_in_a_line(here: Here, words: Any, said: str) -> None:
    ended = here("add", "x", "--task", "t", "--every", "5m", *words, code=2)
    assert said in ended.line
    assert here.names() == []


def test_what_is_missing_is_told(here: Here) -> None:
    ended = here("add", "x", code=2)
    assert "--task: is missing" in ended.err
    assert "has no schedule" in ended.err
    words = ("add", "--task", "t", "--crontab", "minute=0", "hour=3")
    assert "the name of the entry is missing" in here(*words, code=2).line
    assert "the name of the entry is missing" in here("add", "--every", "5m", code=2).line


# the store


def test_a_store_may_be_given_by_its_url(here: Here, beatd: Beatd) -> None:
    url = f"sqlite:///{here.folder}/other.db"
    words = ("add", "x", "--store", url, "--task", "t", "--cron", "@daily", "--json")
    row: Any = beatd(*words).json
    assert row["tz"] == "Europe/Berlin", "of the configuration in the folder"
    assert beatd("show", "x", "--store", url).code == 0
    assert here.names() == []


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("foo:///x", 2, "--store: foo: is not a store that beatd knows"),
        ("", 2, "is not a store that beatd knows"),
        ("other.db", 2, "--store: other.db: is not a store that beatd knows; did you mean sqlite"),
        ("memory:", 2, "memory: lives within a daemon"),
        ("sqlite:////", 1, "is a directory"),
        ("shelve:/tmp", 1, "is a directory"),
        ("shelve:/", 1, "/ is a directory"),
        ("sqlite:////nowhere/beatd.db", 1, ""),
        ("postgresql://u:secretpw@127.0.0.1:1/x", 1, "127.0.0.1:1"),
        ("mysql://u:secretpw@127.0.0.1:1/x", 1, "127.0.0.1:1"),
        ("redis://:secretpw@127.0.0.1:1/0", 1, "127.0.0.1:1"),
    ],
)
@pytest.mark.parametrize("command", [("list",), ("add", "x", "--task", "t", "--every", "5m")])
def test_a_store_that_cannot_be_used_is_told_in_a_line(
    here: Here, beatd: Beatd, command: Any, url: str, code: int, said: str
) -> None:
    ended = beatd(*command, "--store", url)
    assert ended.code == code and said in ended.line
    assert "secretpw" not in ended.err + ended.out


def test_without_a_configuration_one_is_asked_for(
    beatd: Beatd, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = beatd("list")
    assert ended.code == 2 and "which configuration? give -c FILE" in ended.line


def test_a_config_in_the_folder_is_found(here: Here, beatd: Beatd) -> None:
    here("add", "x", "--task", "t", "--every", "5m")
    assert "x" in beatd("list").out


def test_add_without_a_schedule_names_its_options(here: Here) -> None:
    line = here("add", "x", "--task", "t", code=2).line
    assert "has no schedule" in line
    assert "give one of --every, --cron, --crontab, --at, --solar, --rrule" in line


def test_a_broken_configuration_names_the_way_around_it(here: Here) -> None:
    here.config("brokr: x\n")
    assert "did you mean broker? (--store URL, without -c" in here("list", code=2).line


def late(here: Here, *words: object) -> Any:
    """As if the command had needed ten seconds to start."""
    given = ConfigOption(started_at_elapsed=SystemClock().elapsed() - 10)
    command = [str(word) for word in ("-c", here.folder / "config.yaml", *words, "--json")]
    ended = CliRunner().invoke(main, command, obj=given)
    assert ended.exit_code == 0, ended.output
    return json.decode(ended.stdout), ended.stderr


def test_a_moment_that_passes_while_the_command_starts_runs(here: Here) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=1)
    row, said = late(here, "add", "once", "--task", "t", "--at", moment.isoformat())
    assert datetime.fromisoformat(row["next"]) == moment
    assert "never runs again" not in said
    later = (moment - timedelta(seconds=1)).isoformat()
    row, _ = late(here, "edit", "once", "--at", later)
    assert row["next"] is not None
    here.file("more.yaml", f"entries: {{two: {{task: t, at: '{later}'}}}}\n")
    late(here, "apply", "more.yaml")
    assert here.json("show", "two")["next"] is not None


def test_what_was_past_when_the_command_began_is_in_the_history(here: Here) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=60)
    row, said = late(here, "add", "once", "--task", "t", "--at", moment.isoformat())
    assert row["next"] is None
    assert "never runs again" in said
    (record,) = here.json("history", "once")
    assert (record["state"], record["reason"]) == ("skipped", "past when added")


def test_only_a_one_off_counts_from_when_the_command_began(here: Here) -> None:
    row, _ = late(here, "add", "often", "--task", "t", "--every", "1s")
    assert datetime.fromisoformat(row["next"]) > datetime.now(UTC) - timedelta(seconds=3)


def test_a_command_knows_when_its_process_was_started() -> None:
    asks = "from beatd.clock import process_age; print(process_age())"
    said = subprocess.run([sys.executable, "-c", asks], capture_output=True, check=True, text=True)
    assert float(said.stdout) > 0


@pytest.mark.parametrize("command", [("add", "--task", "t", "--every", "1m"), ("edit",)])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize(
    ("option", "before"), [("--args", ""), ("--kwargs", ""), ("--option", "x="), ("--header", "x=")]
)
def test_json_that_is_nested_too_deeply_is_asked_wrongly(
    here: Here, command: tuple[str, ...], opening: str, option: str, before: str
) -> None:
    ended = here(*command, "x", option, before + opening * 50_000, code=2)
    assert ended.line.startswith(f"beatd: {option}: ")
    assert "is nested deeper than 50 levels" in ended.line
