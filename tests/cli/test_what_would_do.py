"""What a message says: what came, and what would do. Each of these lacked one of them."""

from typing import Any

import pytest

from beatd.definition.check import check
from tests.cli.conftest import Beatd, Here

ENTRIES = [
    ({"cron": None}, "is empty; give the schedule after it"),
    ({"cron": "@daily", "every": "1h"}, "are both given; keep one of them"),
    ({"cron": "0,,5 * * * *"}, "the minute has an empty item; remove a comma"),
    ({"cron": "H(9-3) * * * *"}, "H(9-3) runs backward; write the smaller number first"),
    ({"crontab": {"minute": "0,,5"}}, "minute has an empty item; remove a comma"),
    ({"crontab": {"minute": "0," * 9000}}, "characters long; 1000 will do"),
    ({"every": "0.0000001"}, "is finer than a microsecond; round it"),
    ({"every": "9" * 500}, "characters long; write it like"),
    ({"every": "40000d"}, "is longer than a century; write at: for a single moment"),
    ({"rrule": "FREQ=DAILY;FREQ=DAILY"}, "FREQ is given twice; keep one of them"),
    (
        {"rrule": "DTSTART;X=1:20270101T000000\nRRULE:FREQ=DAILY"},
        "'X=1' is not understood; only TZID and VALUE are",
    ),
    ({"rrule": "FREQ=DAILY;BYHOUR=" + "1," * 6000}, "characters long; 10000 will do"),
    ({"every": "1h", "task": "a\x01"}, "has control characters in it; remove them"),
    (
        {"every": "1h", "options": {"countdown": 1, "eta": "2027-01-01T00:00:00Z"}},
        "exclude each other; keep one of them",
    ),
    (
        {"every": "1h", "jitter": "1m", "alert": {"late": "1m"}},
        "is not longer than jitter, which delays runs on purpose; give a longer one",
    ),
]


@pytest.mark.parametrize(("plain", "words"), ENTRIES)
def test_a_problem_of_an_entry_says_what_would_do(plain: dict[str, Any], words: str) -> None:
    found = [problem.text for problem in check("x", {"task": "t", **plain}).problems]
    assert any(words in text for text in found), found


CONFIGURATIONS = [
    ("defaults: [1]", "is not a mapping; write it like {options: {queue: periodic}}"),
    ("entries: [1]", "is not a mapping; write it like {tidy: {task: t, every: 1h}}"),
    ("log: [1]", "is not a mapping; it has level, format"),
    ("? [1]\n: 2", "a key is text, and this is a list, a mapping or an alias; put it in quotes"),
    ("monitors: {sentry: {dsn: 1}}", "1 is not text; put it in quotes"),
    ("entries: {'': {task: t, every: 1h}}", "the name of an entry is empty; give it one"),
    ("entries: {' x': {task: t, every: 1h}}", "begins or ends with a blank; remove it"),
    ('entries: {"x\\ny": {task: t, every: 1h}}', "such as a newline; remove them"),
    ("monitors: {sentry: {}}", "and not both; write {dsn_file: /etc/beatd/sentry-dsn}"),
]


@pytest.mark.parametrize(("text", "words"), CONFIGURATIONS)
def test_a_problem_of_a_configuration_says_what_would_do(
    here: Here,
    text: str,
    words: str,
) -> None:
    here.config(text)
    assert words in here("check", code=1).out


COMMANDS = [
    ("backfill x --from 2026-01-02 --to 2026-01-01", "is after --to 2026-01-01; exchange the two"),
    ("backfill x --from 2026-01-02 --to 2999-01-01", "is in the future; a backfill ends in"),
    ("list --enabled --paused", "--paused and --disabled select; give one of them"),
    ("edit --priority 3", "the name of the entry is missing; give it first"),
    ("history --since 9999999d", "is too long; give a shorter length"),
]


@pytest.mark.parametrize(("words", "message"), COMMANDS)
def test_a_command_says_what_would_do(
    here: Here,
    words: str,
    message: str,
) -> None:
    here("add", "x", "--task", "t", "--every", "1h")
    assert message in here(*words.split(), code=2).told


def test_what_does_not_work_over_the_api_says_what_would(beatd: Beatd) -> None:
    assert "; leave out --url" in beatd("--url", "http://x", "check").line
    assert "; leave out --url" in beatd("status", "--shadow", "--url", "http://x").line
