"""beatd backfill: which zone counts, and what is shown and asked before runs are requested."""

from datetime import datetime, timedelta

import pytest

from beatd.cli import backfill
from beatd.entry import Entry
from beatd.planning import stretch
from beatd.schedules import interval
from tests.cli.conftest import Ended, Here

SPAN = ("backfill", "x", "--from", "2026-01-01 01:00:00 CET", "--to", "2026-01-01T05:30:00Z")
RUNS = "6 runs of x, 2026-01-01 01:00:00 CET to 2026-01-01 06:00:00 CET"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "has_terminal", lambda: True)


def requests(here: Here) -> int:
    store = here.store()
    try:
        return len(store.requests(10))
    finally:
        store.close()


def answered(x: Here, answer: str, *words: str, code: int = 0) -> Ended:
    return x(*words, code=code, input=f"{answer}\n")


def test_the_zone_of_the_configuration_counts(here: Here) -> None:
    here("add", "x", "--task", "t", "--cron", "30 2 * * *", "--tz", "Asia/Tokyo")
    words = ("backfill", "x", "--from", "2026-01-01T00:00", "--to", "2026-01-02T00:00", "--dry-run")
    head, moment = here(*words).out.splitlines()
    assert head == (
        "would request 1 run of x, 2026-01-01 18:30:00 CET to 2026-01-01 18:30:00 CET "
        "(2026-01-02 02:30:00 JST to 2026-01-02 02:30:00 JST in Asia/Tokyo)"
    )
    assert moment == "  2026-01-01 18:30:00 CET"
    words = (
        "backfill",
        "x",
        "--from",
        "2026-01-02 02:30:00 JST",
        "--to",
        "2026-01-01 18:30:00 CET",
    )
    assert here.json(*words, "--dry-run")["first"] == "2026-01-01T17:30:00Z"
    assert "neither Europe/Berlin nor Asia/Tokyo has PST" in here(
        "backfill", "x", "--from", "2026-01-02 02:30:00 PST", "--to", "2026-01-03", code=2
    ).line  # fmt: skip


def test_errors_have_the_zone_of_the_configuration(x: Here) -> None:
    x(*SPAN)
    pending = x(*SPAN, code=1).line
    assert "x' from 2026-01-01 01:00:00 CET to 2026-01-01 06:00:00 CET is pending" in pending
    late = x("backfill", "x", "--from", "2026-01-01", "--to", "2100-07-01T12:00Z", code=2).line
    assert "--to 2100-07-01 14:00:00 CEST is in the future" in late


@pytest.mark.usefixtures("terminal")
def test_a_terminal_is_asked_before_more_than_a_few_runs_are_requested(x: Here) -> None:
    refused = answered(x, "n", *SPAN, code=130)
    assert not requests(x)
    assert f"that is {RUNS}\nall of its moments are before the entry was added (" in refused.err
    assert "request them all? [y/N]" in refused.err
    agreed = answered(x, "y", *SPAN)
    assert "requested 6 runs" in agreed.out and agreed.err.count("before the entry") == 1
    assert requests(x) == 1


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("more", ["--yes", "--dry-run", "--json"])
def test_a_terminal_is_not_asked(x: Here, more: str) -> None:
    assert "request them all?" not in x(*SPAN, more).err
    assert requests(x) == (0 if more == "--dry-run" else 1)


@pytest.mark.usefixtures("terminal")
def test_a_terminal_is_not_asked_for_a_few(x: Here) -> None:
    x("backfill", "x", "--from", "2026-01-01T00:00Z", "--to", "2026-01-01T02:00Z")
    assert requests(x) == 1


def test_moments_before_the_entry_was_added_are_told(x: Here) -> None:
    note = "note: all of its moments are before the entry was added ("
    assert note in x(*SPAN, "--dry-run").err
    ended = x(*SPAN)
    assert ended.out == f"requested {RUNS}\n" and note in ended.err


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("2026-01-01T00:00:00Z", ""),
        ("2026-01-01T00:00:01Z", "1 of its moments is"),
        ("2026-01-01T02:00:00Z", "2 of its moments are"),
        ("2026-01-01T05:00:01Z", "all of its moments are"),
    ],
)
def test_the_moments_before_the_entry_was_added_are_counted(added: str, said: str) -> None:
    first = datetime.fromisoformat("2026-01-01T00:00:00Z")
    entry = Entry(name="x", task="t", schedule=interval("1h"))
    requested = stretch(entry, first, first + timedelta(hours=5), "")
    text = backfill.early_text(entry, requested, datetime.fromisoformat(added), "UTC")
    assert text.partition(" before the entry was added (")[0] == said
