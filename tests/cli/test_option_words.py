"""Errors of options speak of options."""

import pytest

from beatd.cli.option_words import as_option, in_option_words
from beatd.errors import Problem
from tests.cli.conftest import Beatd, Here


@pytest.mark.parametrize(
    ("yaml", "options"),
    [
        ("write {event: sunset, lat: 31.2, lon: 121.5}", "write event=sunset lat=31.2 lon=121.5"),
        ("for an interval write every: 5m", "for an interval write --every 5m"),
        ("for the text 'a: b' write cron:", "for the text 'a: b' write --cron"),
        ("'every: 5m' is no time", "'every: 5m' is no time"),
        ("write dst_gap: run", "write --dst-gap run"),
        ("minute: '77' is not between 0 and 59", "minute: '77' is not between 0 and 59"),
    ],
)
def test_the_words(yaml: str, options: str) -> None:
    assert in_option_words(yaml) == options


def test_the_option_stands_before_its_problem() -> None:
    found = as_option(Problem("solar needs lat", ("solar",)))
    assert (found.path, found.text) == (("--solar",), "needs lat")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--solar", "event=dusk"), "--solar: needs lat; write event=sunset lat=31.2 lon=121.5"),
        (("--crontab", "minut=3"), "--crontab: has no 'minut'; did you mean minute?"),
        (("--crontab", "minute=77"), "--crontab: minute: '77' is not between 0 and 59"),
        (("--cron", "5m"), "--cron: '5m' is not a cron text; for an interval write --every 5m"),
    ],
)
@pytest.mark.parametrize("command", ["next", "add", "edit"])
def test_a_command_speaks_of_its_options(
    x: Here, beatd: Beatd, command: str, words: tuple[str, ...], said: str
) -> None:
    before: dict[str, tuple[str, ...]] = {
        "next": ("next",), "add": ("add", "y", "--task", "t"), "edit": ("edit", "x"),
    }  # fmt: skip
    assert x(*before[command], *words, code=2).line == f"beatd: {said}"
