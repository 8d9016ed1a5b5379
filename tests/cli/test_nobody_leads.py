"""A command that wants a run says so if no daemon leads."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from beatd.cli.leader_note import NOBODY_LEADS, NOTHING_RUNS, RELOADS
from beatd.leader import Holder
from beatd.stores import sqlite_quick_list as glancing
from tests.cli.conftest import Ended, Here
from tests.cli.test_status import LEADER, NOW, announced

COMMANDS = [
    ("add", "y", "--task", "t", "--every", "1h"),
    ("trigger", "x"),
    ("backfill", "x", "--from", "2026-01-01T00:00", "--to", "2026-01-01T02:00"),
]
NOTE = f"beatd: {NOBODY_LEADS}\n"


def notes(ended: Ended) -> str:
    """What is on stderr, but for the note of `backfill` that the entry was added later."""
    lines = ended.err.splitlines(keepends=True)
    return "".join(line for line in lines if "before the entry was added" not in line)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_note_says_that_nobody_leads(x: Here, words: tuple[str, ...]) -> None:
    assert notes(x(*words)) == NOTE


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_json_on_stdout_stays_json(x: Here, words: tuple[str, ...]) -> None:
    ended = x(*words, "--json")
    assert ended.json and ended.err == NOTE


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_there_is_no_note_while_a_daemon_leads(x: Here, words: tuple[str, ...]) -> None:
    announced(x)
    assert notes(x(*words)) == ""


def test_there_is_no_note_where_nothing_is_to_run(x: Here) -> None:
    assert x("add", "y", "--task", "t", "--every", "1h", "--disabled").err == ""
    assert notes(x(*COMMANDS[2], "--dry-run")) == ""


@pytest.fixture(params=["quick", "store"])
def through(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "store":
        monkeypatch.setattr(glancing, "VERSION", -1)


@pytest.mark.usefixtures("through")
def test_a_list_says_that_nobody_leads(x: Here) -> None:
    assert x("list").err == f"beatd: {NOTHING_RUNS}\n"
    ended = x("list", "--json")
    assert ended.json and ended.err == f"beatd: {NOTHING_RUNS}\n"


@pytest.mark.usefixtures("through")
def test_a_list_has_no_note_while_a_daemon_leads(x: Here) -> None:
    announced(x)
    assert x("list").err == x("list", "--json").err == ""


@pytest.mark.usefixtures("through")
def test_the_newest_leader_counts_and_no_older_one(x: Here) -> None:
    announced(x)
    with closing(x.store()) as store:
        store.begin(Holder("three", "host-c", 33, NOW, "token-c"))
    assert x("list").err == f"beatd: {NOTHING_RUNS}\n"


@pytest.mark.usefixtures("through")
def test_a_list_has_no_note_after_a_leader_is_silent(x: Here) -> None:
    announced(x)
    with closing(sqlite3.connect(x.folder / "beatd.db")) as there, there:
        there.execute("UPDATE beatd_daemon SET until = 1")
    assert x("list").err == f"beatd: {NOTHING_RUNS}\n"


@pytest.mark.usefixtures("through")
def test_a_list_of_no_entry_has_no_note(x: Here) -> None:
    assert x("list", "nothing").err == "no entry matches\n"
    assert x("list", "nothing", "--json").err == ""


def reloads(here: Here, ago: float = 1) -> None:
    """Leave the store as a leader that reloads does."""
    with closing(here.store()) as store:
        at = datetime.now(UTC) - timedelta(seconds=ago)
        store.marks.write_reload(store.begin(LEADER).token, at)


@pytest.mark.usefixtures("through")
def test_a_list_says_that_a_daemon_is_reloading(x: Here) -> None:
    reloads(x)
    assert x("list").err == f"beatd: {RELOADS}\n"
    with closing(x.store()) as store:
        store.begin(Holder("three", "host-c", 33, NOW, "token-c"))  # it led meanwhile, and ended
    assert x("list").err == f"beatd: {NOTHING_RUNS}\n"


@pytest.mark.usefixtures("through")
def test_a_reload_that_does_not_end_is_no_reload(x: Here) -> None:
    reloads(x, ago=31)
    assert x("list").err == f"beatd: {NOTHING_RUNS}\n"


def test_why_and_status_say_that_a_daemon_is_reloading(x: Here) -> None:
    reloads(x)
    assert x("trigger", "x").err == f"beatd: {RELOADS}\n"
    answer = x.json("why", "x")
    assert answer["cause"] == "nobody leads"
    assert "a daemon is reloading, and leads again in a moment" in answer["line"]
    assert "one (host-a, pid 11) is reloading since" in x("status", code=1).out
    announced(x)
    assert x.json("status")["reloads_since"] is None
