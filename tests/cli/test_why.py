"""beatd why: what the command adds to the answer."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import Here
from tests.cli.test_entry_warnings import App, project
from tests.cli.test_history import ran
from tests.cli.test_outcomes import history_confirmed, planned_of_x, reported

__all__ = ["project"]


@pytest.mark.parametrize(
    ("task", "hint"),
    [
        ("tasks.pnig", "the app why_app:app does not have it either; did you mean tasks.ping?"),
        ("tasks.ping", "the app why_app:app has it; does the worker import its module, and run"),
        ("zzz", "the app why_app:app does not have it either"),
    ],
)
def test_a_task_that_no_worker_knows_has_the_hint_of_add(
    here: Here, project: App, task: str, hint: str
) -> None:
    project("why_app")
    here("add", "x", "--task", task, "--every", "1h")
    ran(here, history_confirmed())
    error = f"NotRegistered: the worker does not know the task {task!r}"
    reported(here, "failed", planned=planned_of_x(here), error=error)
    answer = here.json("why", "x")
    assert answer["cause"] == "unknown task"
    assert hint in answer["line"]


def test_it_ends_with_1_where_there_is_no_entry_because_of_a_mistake(here: Here) -> None:
    here("add", "x", "--task", "t", "--every", "1h")
    here.file("jobs/a.yaml", "entries:\n  nightly: {task: t, evry: 1h}\n")
    here.config("schedules: [jobs/]\n")
    answer = here.json("why", "nightly", code=1)
    assert answer["cause"] == "invalid source"
    assert answer["line"].startswith("there is no entry 'nightly', and a source is invalid: ")


def test_a_time_of_day_is_the_newest_such_moment(here: Here) -> None:
    here("add", "x", "--task", "t", "--every", "1h", "--tz", "Asia/Tokyo")
    local = datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(hours=3)
    planned = datetime.fromisoformat(here.json("why", "x", "--at", f"{local:%H:%M:%S}")["planned"])
    assert planned == local.replace(microsecond=0)
    later = datetime.now(UTC) + timedelta(hours=1)
    (run,) = here.json("next", "x", "--from", f"{later:%H:%M}", "--tz", "UTC", "-n", 1)
    assert datetime.fromisoformat(run["utc"]) > later.replace(second=0, microsecond=0)
    said = here("why", "x", "--at", "25:00", code=2).line
    assert said == "beatd: --at: '25:00' is not a time of day; write it like 14:30"


def test_an_entry_that_runs_once_has_the_date_of_the_next_such_time(here: Here) -> None:
    local = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=2)
    options = ("--task", "t", "--tz", "Asia/Tokyo")
    for verb in ("add", "edit"):
        at = here.json(verb, "once", *options, "--at", f"{local:%H:%M}")["schedule"]["at"]
        assert at == f"{local:%Y-%m-%dT%H:%M}:00"
        local += timedelta(hours=1)


@pytest.fixture
def tokyo(here: Here) -> Here:
    """The configuration has Europe/Berlin, and the entry x has Asia/Tokyo."""
    here("add", "x", "--task", "t", "--cron", "30 2 * * *", "--tz", "Asia/Tokyo")
    return here


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-01 02:30",
        "2026-07-01 02:30:00 CEST",
        "2026-07-01 09:30:00 JST",
        "2026-07-01T00:30:00Z",
        "Wed 2026-07-01 02:30:00 CEST",
    ],
)
def test_a_moment_is_read_as_tables_print_it(tokyo: Here, text: str) -> None:
    answer = tokyo.json("why", "x", "--at", text)
    assert answer["planned"] == "2026-07-01T00:30:00Z"
    told = tokyo("why", "x", "--at", text).out
    assert "in Asia/Tokyo" in told and "2026-07-01 09:30:00 JST" in told


def test_the_name_of_an_offset_that_no_zone_has_is_refused(tokyo: Here) -> None:
    said = tokyo("why", "x", "--at", "2026-07-01 02:30:00 CET", code=2).line
    assert said == (
        "beatd: --at: '2026-07-01 02:30:00 CET': neither Europe/Berlin nor Asia/Tokyo has CET at "
        "that time; write it without a name for Europe/Berlin, or with an offset, like "
        "2026-07-01T02:30:00+01:00"
    )


def test_show_and_why_print_the_zone_of_the_configuration(tokyo: Here) -> None:
    for words in (("show", "x"), ("why", "x")):
        told = tokyo(*words).out
        assert " CE" in told and "JST" not in told


def test_a_moment_before_the_entry_was_added_says_so(tokyo: Here) -> None:
    tokyo("edit", "x", "--queue", "slow")
    (added,) = [one for one in tokyo.json("changes", "x") if one["action"] == "added"]
    at = datetime.fromisoformat(added["at"]).astimezone(ZoneInfo("Europe/Berlin"))
    line = tokyo.json("why", "x", "--at", "2026-07-01 02:30")["line"]
    assert line.startswith(f"the entry was added at {at:%Y-%m-%d %H:%M:%S}")
    assert line.endswith("; nothing could run before")
