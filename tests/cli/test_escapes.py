"""Text of an entry that would steer a terminal is shown, and never sent to it."""

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Query
from beatd.cli.escapes import visible
from beatd.cli.failure import print_message
from beatd.clock import SystemClock
from beatd.definition import entry_from
from beatd.edits.entry_change import added
from beatd.ledger import Result
from beatd.presence import Presence
from beatd.publisher import Outcome
from tests.cli.conftest import Here
from tests.stores.making import holder, lead, request_of, step

#: ESC, BEL, BS, CR, DEL, CSI as C1, and letters that turn the direction of what follows.
STEERS = "\x1b]0;title\x07\x08\r\x7f\x9b31m\u202e\u2066\u200f"
NAME = f"bad{STEERS}name"
COMMANDS = [
    *(("list",), ("list", NAME), ("show", NAME), ("next", NAME), ("history",), ("history", NAME)),
    *(("status",), ("check",), ("export",), ("apply", "other.yaml", "--dry-run")),
    *(("pause", NAME), ("resume", NAME), ("trigger", NAME), ("edit", NAME, "--task", "a.b")),
    ("edit", NAME, "--description", f"other {STEERS}"),
    ("backfill", NAME, "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T00:00:02Z"),
    *(("remove", NAME), ("show", f"none{STEERS}"), ("remove", f"none{STEERS}")),
    ("add", f"none{STEERS}", "--task", "a.b", "--every", "1m"),
    ("add", "plain", "--task", f"a{STEERS}", "--every", "1m"),
    *(("next", "--cron", f"* *{STEERS} *"), (f"no{STEERS}",), ("import", f"crontab:{STEERS}")),
]


@pytest.fixture
def hostile(here: Here) -> Here:
    plain = {
        "task": "proj.tidy",
        "every": "1s",
        "description": f"first {STEERS}",
        "args": [STEERS],
        "kwargs": {"key": STEERS},
        "options": {"headers": {"key": STEERS}},
    }
    store, now = here.store(), SystemClock().now()
    made = replace(entry_from("any", plain), name=NAME, task=f"proj{STEERS}")
    earlier = now - timedelta(seconds=5)
    assert store.write([added(made, earlier, None)]) == [True]
    (row,) = store.find(Query())
    term = lead(store)
    move = step(store, row, row.plan.planned + timedelta(hours=1))
    assert store.claim([move], term, earlier) == [True]
    store.record([Result(move.run, Outcome("rejected", f"refused {STEERS}"), now)])
    store.add_requests([request_of(row)])
    me = holder(f"daemon{STEERS}")
    told = {"broker": f"away {STEERS}", "problems": (f"wrong {STEERS}",), "lock": STEERS}
    store.announce(Presence(me, "standby", False, now, went_back=STEERS, **told), 600)
    store.close()
    here.file("other.yaml", json.dumps({"other\u202e": plain}))
    here.config("entries: " + json.dumps({"mine\u202e": plain}) + "\n")
    return here


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0][:9])
def test_no_command_prints_what_steers_a_terminal(hostile: Here, words: tuple[str, ...]) -> None:
    ended = hostile._beatd("-c", hostile.folder / "config.yaml", *words)
    found = sorted(set(STEERS) & set("\x1b\x07\x08\r\x7f\x9b\u202e\u2066\u200f"))
    for text in (ended.out, ended.err):
        assert not [letter for letter in found if letter in text], ascii(text)
    assert ended.out or ended.err


def test_json_has_the_text_as_it_is(hostile: Here) -> None:
    shown = hostile.json("show", NAME)
    assert (shown["name"], shown["description"]) == (NAME, f"first {STEERS}")
    assert [row["name"] for row in hostile.json("list")] == [NAME]


def test_visible_text_keeps_all_that_is_harmless() -> None:
    assert visible("naïve 🐝\tünï\n") == "naïve 🐝\tünï\n"
    assert visible("a\x1b[31m\x9b\u202eb") == "a\\x1b[31m\\x9b\\u202eb"


def test_a_line_on_stderr_is_escaped_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_message("no \x1b[31mred\x1b[0m")
    assert "no \\x1b[31mred\\x1b[0m" in capsys.readouterr().err
