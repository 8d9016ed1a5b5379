"""A command that wants a run says so if no daemon leads."""

import pytest

from beatd.cli.leader_note import NOBODY_LEADS
from tests.cli.conftest import Here
from tests.cli.test_status import announced

COMMANDS = [
    ("add", "y", "--task", "t", "--every", "1h"),
    ("trigger", "x"),
    ("backfill", "x", "--from", "2026-01-01T00:00", "--to", "2026-01-01T02:00"),
]
NOTE = f"beatd: {NOBODY_LEADS}\n"


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_note_says_that_nobody_leads(x: Here, words: tuple[str, ...]) -> None:
    assert x(*words).err == NOTE


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_json_on_stdout_stays_json(x: Here, words: tuple[str, ...]) -> None:
    ended = x(*words, "--json")
    assert ended.json and ended.err == NOTE


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_there_is_no_note_while_a_daemon_leads(x: Here, words: tuple[str, ...]) -> None:
    announced(x)
    assert x(*words).err == ""


def test_there_is_no_note_where_nothing_is_to_run(x: Here) -> None:
    assert x("add", "y", "--task", "t", "--every", "1h", "--disabled").err == ""
    assert x(*COMMANDS[2], "--dry-run").err == ""
