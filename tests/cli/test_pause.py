"""beatd pause --until and --note, and what other commands show of a pause."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from beatd.cli.author import NOTE_CHARACTERS_MAX, author
from beatd.views.pause_text import read_end
from tests.cli.conftest import Here

BERLIN = ZoneInfo("Europe/Berlin")  # of the configuration


@pytest.fixture
def x(here: Here) -> Here:
    here("add", "x", "--task", "t", "--every", "5m", "--tz", "UTC")
    return here


def end_of(here: Here) -> datetime:
    return datetime.fromisoformat(here.json("show", "x")["pause"]["until"])


def test_the_end_of_a_pause_is_a_length_from_now(x: Here) -> None:
    before = datetime.now(UTC)
    x("pause", "x", "--until", "2h")
    begin = end_of(x) - timedelta(hours=2)
    assert before <= begin <= datetime.now(UTC) + timedelta(seconds=1) and not begin.microsecond


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2099-01-01T09:00", datetime(2099, 1, 1, 9, tzinfo=BERLIN)),
        ("2099-01-01T09:00+09:00", datetime(2099, 1, 1, tzinfo=UTC)),
        ("2099-07-01", datetime(2099, 7, 1, tzinfo=BERLIN)),
    ],
)
def test_the_end_of_a_pause_is_a_moment_in_the_zone_of_the_configuration(
    x: Here, text: str, end: datetime
) -> None:
    out = x("pause", "x", "--until", text).out
    assert out == f"paused x until {end.astimezone(BERLIN):%Y-%m-%d %H:%M %Z}\n"
    assert end_of(x) == end


def test_the_end_of_a_pause_is_the_next_such_time_of_day() -> None:
    now = datetime(2026, 11, 28, 14, tzinfo=BERLIN)
    for text, day in (("14:30", 28), ("14:00", 29)):
        end = read_end("--until", text, now, "Europe/Berlin")
        assert end == datetime(2026, 11, day, 14, int(text[3:]), tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2020-01-01T09:00", "'2020-01-01T09:00' is past; give a later moment, or a length from"),
        ("0s", "'0s' is past"),
        (
            "tomorrow",
            "is neither a moment nor a length; write it like 2027-01-01T09:00, 14:30 or 2h",
        ),
        ("-2h", "is neither a moment nor a length"),
        ("9999999w", "is neither a moment nor a length"),
        ("", "is neither a moment nor a length"),
    ],
)
def test_an_end_that_cannot_be_is_refused_with_what_would_do(x: Here, text: str, said: str) -> None:
    line = x("pause", "x", "--until", text, code=2).line
    assert line.startswith("beatd: --until: ") and said in line
    assert x.json("show", "x")["pause"] is None


def test_a_second_pause_gets_the_new_end_and_the_new_note(x: Here) -> None:
    assert x("pause", "x", "--note", "the  database\nmoves").out == "paused x\n"
    assert x("pause", "x").out == "x was paused already\n"
    out = x("pause", "x", "--until", "2099-01-01").out
    assert out == "x is paused now until 2099-01-01 00:00 CET\n"
    assert x.json("show", "x")["pause"]["note"] == "the database moves"
    assert x.json("pause", "x", "--note", "still") == {"paused": []}
    assert x.json("show", "x")["pause"]["note"] == "still"
    assert end_of(x) == datetime(2099, 1, 1, tzinfo=BERLIN)


def test_a_note_has_a_length_that_can_be_shown(x: Here) -> None:
    note = "n" * NOTE_CHARACTERS_MAX
    x("pause", "x", "--note", note)
    assert note in x("show", "x").out
    (line,) = [line for line in x("list").out.splitlines() if line.startswith("x ")]
    assert "n…" in line and "n" * 50 not in line
    assert "at most 500 are kept" in x("pause", "x", "--note", note + "n", code=2).line


def test_list_show_and_why_say_until_when_by_whom_and_why(x: Here) -> None:
    assert x.json("list")[0]["pause"] is None
    x("pause", "x", "--until", "2099-01-01T09:00:30", "--note", "deploy")
    assert "paused until 2099-01-01 09:00:30 CET, deploy" in x("list").out
    (line,) = [line for line in x("show", "x").out.splitlines() if line.startswith("paused")]
    assert f" CET, by {author()}, until 2099-01-01 09:00:30 CET: deploy" in line
    answer = x.json("why", "x")
    assert answer["cause"] == "paused"
    end = f", by {author()}, until 2099-01-01 09:00:30 CET: deploy"
    assert answer["line"].startswith("the entry is paused since ") and answer["line"].endswith(end)
    (row,) = x.json("list")
    assert (
        row["pause"]
        == x.json("show", "x")["pause"]
        == {
            "at": row["pause"]["at"],
            "by": author(),
            "until": "2099-01-01T08:00:30Z",
            "note": "deploy",
        }
    )
    x("resume", "x")
    assert (x.json("show", "x")["pause"], x.json("list")[0]["pause"]) == (None, None)
    assert "paused" not in x("show", "x").out


def test_a_pause_that_ends_today_says_the_time_alone(x: Here) -> None:
    from beatd.views.pause_text import end_text

    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert end_text(now + timedelta(hours=2), now, "Europe/Berlin") == "15:00 CET"
    assert end_text(now + timedelta(hours=11), now, "Europe/Berlin") == "2026-03-02 00:00 CET"
    assert end_text(now + timedelta(seconds=1), now, "UTC") == "12:00:01 UTC"
