"""beatd next, as programs and as people see it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from beatd.cli.next_lines import FIRST_RUNS, run_lines
from beatd.definition import entry_from
from beatd.entry import Entry
from beatd.views.next_runs import runs_after
from beatd.views.time_text import distance_text
from tests.cli.conftest import Beatd, Here

Write = Callable[[str, str], Path]


def test_json_is_a_list_of_local_and_utc(beatd: Beatd) -> None:
    ended = beatd(
        *("next", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--count", 2, "--json"),
        *("--from", "2027-03-27T12:00:00Z"),
    )
    assert ended.json == [
        {"local": "2027-03-28T03:00:00+02:00", "utc": "2027-03-28T01:00:00Z"},
        {"local": "2027-03-29T02:30:00+02:00", "utc": "2027-03-29T00:30:00Z"},
    ]
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("--every 90m --from 2027-01-01T00:00:00Z", "2027-01-01T01:30:00Z"),
        ("--every 0.5 --from 2027-01-01T00:00:00Z", "2027-01-01T00:00:00.500000Z"),
        ("--every 1s --from 2027-01-01T00:00:00.999999Z", "2027-01-01T00:00:01Z"),
        ("--every 1d --start 2027-01-01T09:00:00 --from 2026-01-01", "2027-01-01T09:00:00Z"),
        ("--at 2027-01-01T09:00:00+08:00 --from 2026-01-01", "2027-01-01T01:00:00Z"),
        ("--at 2027-01-01T09:00 --tz Asia/Shanghai --from 2026-01-01", "2027-01-01T01:00:00Z"),
        ("--crontab minute=0 hour=*/3 --from 2027-01-01T01:00:00Z", "2027-01-01T03:00:00Z"),
        ("--crontab minute=0 --crontab hour=5 --from 2027-01-01", "2027-01-01T05:00:00Z"),
        # without an offset, --from is in the zone asked for
        ("--cron @daily --tz Asia/Shanghai --from 2027-01-01T00:00:00", "2027-01-01T16:00:00Z"),
        ("--cron @daily --tz Asia/Shanghai --from 2026-12-31T23:59:59.5", "2026-12-31T16:00:00Z"),
    ],
)
def test_the_first_moment_strictly_after(beatd: Beatd, words: str, first: str) -> None:
    ended = beatd("next", *words.split(), "--json", "-n", 1)
    assert ended.code == 0, ended.err
    assert [row["utc"] for row in ended.json] == [first]  # type: ignore[attr-defined]


def test_all_times_of_a_table_have_as_many_digits(beatd: Beatd) -> None:
    words = ("next", "--every", "0.5", "--from", "2027-01-01T00:00:00Z", "-n", 2)
    first, second = beatd(*words).out.splitlines()[-2:]
    assert first.count(" 00:00:00.500 ") == 2 and second.count(" 00:00:01.000 ") == 2


def test_the_ends_of_time_are_no_surprise(beatd: Beatd) -> None:
    last = ("--from", "9999-12-31T23:59:58Z", "--tz", "Asia/Shanghai")
    assert beatd("next", "--every", "1s", *last, "--json").json == []
    early = beatd("next", "--every", "1h", "--from", "0001-01-02", "-n", 1)
    assert "0001-01-02 01:00:00" in early.out


def test_a_schedule_that_is_over_has_fewer_runs(beatd: Beatd) -> None:
    ended = beatd("next", "--at", "2027-01-01", "--from", "2027-01-01", "--json")
    assert (ended.code, ended.json) == (0, [])
    shown = beatd("next", "--at", "2027-01-01", "--from", "2026-12-31")
    assert "and never again" in shown.out
    assert "\nnever again" in beatd("next", "--at", "2020-01-01").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cron", "* * * *"), "--cron: "),
        (("--cron", ""), "--cron: "),
        (("--cron", "0 0 30 2 *"), "never fire"),
        (("--cron", "* * * * *", "--tz", "Mars/Crater"), "--tz: "),
        (("--cron", "* * * * *", "--from", "soon"), "--from: "),
        (("--cron", "* * * * *", "--from", ""), "--from: "),
        (("--every", "0"), "--every: "),
        (("--every", "5x"), "--every: "),
        (("--every", "1s", "--cron", "* * * * *"), "give one of them"),
        (("--every", "1s", "--count", "0"), "--count"),
        (("--every", "1s", "x"), "either"),
        (("--crontab", "minute"), "KEY=VALUE"),
        (("--crontab", "minutes=0"), "minute"),
        (("--solar", "event=sunset lat=x lon=1"), "not a number"),
        (("--at", "tomorrow"), "--at: "),
        (("--cron", "* * * * *", "--dst-gap", "jump"), "--dst-gap: "),
        (("--phase", "5s"), "--every"),
        ((), "give --cron"),
        (("x",), "give -c"),
        (("-c", "/nonexistent", "x"), "/nonexistent: cannot be read"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(beatd: Beatd, words: tuple[str, ...], said: str) -> None:
    ended = beatd("next", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.line


CONFIG = """
timezone: Asia/Shanghai
broker: memory://
store: {store}
schedules: [more/]
entries:
  nightly: {{task: t, cron: "30 2 * * *", tz: Europe/Berlin}}
  here: {{task: t, cron: "0 9 * * *"}}
  late:
    {{task: t, every: 1h, start: 2030-01-01, end: "2030-01-01T01:00", jitter: 30s, enabled: no}}
"""


@pytest.fixture
def config(write: Write) -> Path:
    write("more/x.yaml", "timezone: UTC\nentries: {in-a-file: {task: t, cron: '0 9 * * *'}}\n")
    return write("config.yaml", CONFIG.format(store="'memory:'"))


def rows(beatd: Beatd, *words: object) -> Any:
    ended = beatd("next", *words, "--json", "-n", 1)
    assert ended.code == 0, ended.err
    return ended.json


def test_an_entry_has_its_own_zone_else_the_files_else_the_configs(
    beatd: Beatd, config: Path
) -> None:
    since = ("--from", "2027-01-01T00:00:00Z", "-c", config)
    assert rows(beatd, *since, "nightly")[0]["local"] == "2027-01-01T02:30:00+01:00"
    assert rows(beatd, *since, "here")[0]["local"] == "2027-01-01T09:00:00+08:00"
    assert rows(beatd, *since, "in-a-file")[0]["local"] == "2027-01-01T09:00:00+00:00"
    assert rows(beatd, *since, "here", "--tz", "UTC")[0]["local"] == "2027-01-01T09:00:00+00:00"


def test_an_expression_takes_the_zone_of_the_config(beatd: Beatd, config: Path) -> None:
    assert rows(beatd, "-c", config, "--cron", "@daily")[0]["local"].endswith("T00:00:00+08:00")


def test_several_entries_are_told_apart(beatd: Beatd, config: Path) -> None:
    found = rows(beatd, "-c", config, "here", "nightly")
    assert [row["entry"] for row in found] == ["here", "nightly"]


def test_start_end_jitter_and_being_disabled_are_shown(beatd: Beatd, config: Path) -> None:
    shown = beatd("next", "-c", config, "late").out
    assert "2030-01-01 00:00:00" in shown and "2030-01-01 01:00:00" in shown
    assert "and never again" in shown and "disabled" in shown and "up to 30 s later" in shown


def test_an_unknown_entry_is_one_line_with_the_nearest(beatd: Beatd, config: Path) -> None:
    ended = beatd("next", "-c", config, "nightli")
    assert ended.code == 1
    assert ended.line == "beatd: no entry is called 'nightli'; did you mean nightly?"


def test_people_see_both_clocks_and_what_the_night_did(beatd: Beatd) -> None:
    gap = beatd("next", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--from", "2027-03-27")
    assert "Sun 2027-03-28 03:00:00   CEST +02:00   2027-03-28 01:00:00 UTC" in gap.out
    assert "moved: 02:30 does not exist" in gap.out
    fold = beatd("next", "--cron", "*/30 * * * *", "--tz", "Europe/Berlin",
                 "--from", "2027-10-31T00:00:00Z")  # fmt: skip
    assert "first of two" in fold.out and "second of two" in fold.out
    plain = beatd("next", "--cron", "0 12 * * *", "--tz", "Europe/Berlin")
    assert "clock change" not in plain.out


def test_the_times_of_a_line_can_be_pasted_into_from(beatd: Beatd, config: Path) -> None:
    words = ("next", "-c", config, "nightly", "-n", 1)
    line = beatd(*words, "--from", "2027-01-09 12:00").out.splitlines()[-1]
    local, zone, utc, _ = line.split("   ", 3)
    for pasted in (f"{local}   {zone}", utc):
        later = beatd(*words, "--from", pasted)
        assert "after 2027-01-10 02:30:00 CET, in Europe/Berlin" in later.out, later.err


def test_a_long_answer_begins_before_all_runs_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed = 0

    def counted(entry: Entry, after: datetime) -> Iterator[datetime]:
        nonlocal computed
        for moment in runs_after(entry, after):
            computed += 1
            yield moment

    monkeypatch.setattr("beatd.cli.next_lines.runs_after", counted)
    entry = entry_from("x", {"task": "t", "cron": "30 2 * * *", "tz": "Europe/Berlin"})
    now = datetime(2027, 1, 1, tzinfo=UTC)
    lines = run_lines(entry, now, 8000, now)
    first = list(islice(lines, FIRST_RUNS))
    assert first[0].startswith("local") and "2027-01-01 02:30:00" in first[2]
    assert computed == FIRST_RUNS
    rest = list(lines)
    assert (computed, len(first) + len(rest)) == (8001, 8002)
    # a clock change comes after the first runs, and the columns stay in line
    (moved,) = [line for line in rest if "2027-03-28" in line]
    assert moved.rstrip().endswith("moved: 02:30 does not exist")
    assert moved.index("moved") == first[0].index("clock change")
    (far,) = [line for line in rest if "2042-10-26" in line]
    assert "in 5777 d" in far and far.index("first of two") == first[0].index("clock change")


def test_the_runs_before_a_schedule_ends_are_streamed_too(beatd: Beatd) -> None:
    words = ("next", "--every", "1m", "--from", "2027-01-01T00:00Z", "--end", "2027-01-01T05:00Z")
    lines = beatd(*words, "-n", 1000).out.splitlines()
    assert "2027-01-01 05:00:00" in lines[-2] and lines[-1] == "and never again"
    assert len(lines) == 3 + 300 + 1
    assert len(beatd(*words, "-n", 1000, "--json").json) == 300  # type: ignore[arg-type]


def test_a_warning_goes_beside_the_answer_for_people(beatd: Beatd) -> None:
    shown = beatd("next", "--cron", "0 0 13 * fri")
    assert shown.code == 0 and "EITHER" in shown.line
    assert beatd("next", "--cron", "0 0 13 * fri", "--json").err == ""


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "now"),
        (timedelta(milliseconds=500), "in 0.50 s"),
        (timedelta(seconds=59), "in 59 s"),
        (timedelta(seconds=60), "in 1 min"),
        (timedelta(hours=3, minutes=12, seconds=50), "in 3 h 12 min"),
        (timedelta(days=2, minutes=5), "in 2 d"),
        (timedelta(hours=-1), "1 h ago"),
    ],
)
def test_how_long_until_then(length: timedelta, words: str) -> None:
    assert distance_text(length) == words


def test_what_an_app_declares_has_moments_before_any_daemon_ran(
    beatd: Beatd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asked_app.py").write_text(
        "from celery import Celery\n"
        "from celery.schedules import crontab\n"
        "app = Celery('asked', broker='memory://', set_as_current=False)\n"
        "app.conf.timezone = 'Asia/Tokyo'\n"
        "app.conf.beat_schedule = {\n"
        "    'one': {'task': 't', 'schedule': crontab(minute=0, hour='*/3')}\n"
        "}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ended = beatd(
        "next", "-A", "asked_app", "one", "--from", "2027-01-01T00:00Z", "-n", 1, "--json"
    )
    assert (ended.code, ended.err) == (0, "")
    assert ended.json == [{"local": "2027-01-01T12:00:00+09:00", "utc": "2027-01-01T03:00:00Z"}]
    assert "did you mean one?" in beatd("next", "-A", "asked_app", "onee").line


def test_what_croniter_reads_differently_is_said_below_the_runs(beatd: Beatd) -> None:
    ended = beatd("next", "--cron", "0 0 */2 * mon", "--from", "2026-11-27")
    assert ended.code == 0
    text = " ".join(ended.out.split())
    assert "croniter reads it differently: it runs" in text
    assert "croniter" not in beatd("next", "--cron", "0 0 * * mon", "--from", "2026-11-27").out


def test_json_says_nothing_of_croniter(beatd: Beatd) -> None:
    assert "croniter" not in beatd("next", "--cron", "0 0 */2 * mon", "--json").out


# paused and disabled entries


def heading(here: Here, *words: object) -> str:
    return here("next", "x", *words).out.splitlines()[0]


def test_the_heading_says_that_an_entry_is_paused_and_until_when(x: Here) -> None:
    assert "paused" not in heading(x)
    x("pause", "x")
    assert heading(x).endswith("  paused: none of these runs until it is resumed")
    x("pause", "x", "--until", "2099-01-10T14:00")
    assert heading(x).endswith("  paused until 2099-01-10 14:00 CET: no run before that")


def test_the_heading_says_that_an_entry_is_disabled(x: Here) -> None:
    x("edit", "x", "--disabled")
    assert heading(x).endswith("  disabled: none of these runs until it is enabled")


def test_an_entry_of_a_file_is_paused_in_the_store(here: Here) -> None:
    here.config("entries: {x: {task: t, every: 1h}}\n")
    assert "paused" not in heading(here)
    assert not (here.folder / "beatd.db").exists()
    here("apply")
    here("pause", "x")
    assert "paused" in heading(here)
    assert len(here.json("next", "x")) == 5


def test_a_store_that_is_away_keeps_no_declared_entry_from_being_shown(here: Here) -> None:
    here.file(
        "config.yaml",
        "broker: memory://\nstore: 'postgresql://127.0.0.1:1/x'\n"
        "entries: {x: {task: t, every: 1h}}\n",
    )
    ended = here("next", "x")
    assert len(ended.out.splitlines()) > 5
    assert ended.line.endswith("whether an entry is paused is not known")
