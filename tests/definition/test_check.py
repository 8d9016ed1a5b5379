"""One entry: what is right, what is wrong, and how it is told."""

import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from beatd.definition import check, entry_from, plain_of
from beatd.errors import ConfigError, ScheduleError

CAFE = os.fsdecode(b"caf\xe9")
GOOD: dict[str, Any] = {"task": "proj.report", "every": "30s"}


def told(plain: Any, name: str = "tidy") -> list[str]:
    return [str(problem) for problem in check(name, plain).problems]


def test_an_entry_has_the_defaults_of_the_contract() -> None:
    entry = entry_from("tidy", GOOD)
    assert (entry.tz, entry.enabled, entry.catch_up, entry.on_unknown) == (
        "UTC",
        True,
        "latest",
        "resend",
    )
    assert (entry.grace, entry.jitter) == (timedelta(seconds=10), timedelta(0))
    assert (entry.dst_gap, entry.dst_fold) == ("run", "first")


def test_the_zone_is_resolved_when_it_is_read() -> None:
    assert entry_from("a", GOOD, timezone="Asia/Shanghai").tz == "Asia/Shanghai"
    assert entry_from("a", {**GOOD, "tz": "europe/berlin"}, timezone="UTC").tz == "Europe/Berlin"


def test_a_moment_without_offset_is_in_the_zone_of_the_entry() -> None:
    entry = entry_from("a", {**GOOD, "start": "2027-01-01", "tz": "Asia/Shanghai"})
    assert entry.start == datetime(2026, 12, 31, 16, tzinfo=UTC)


def test_what_is_written_back_is_read_as_the_same_under_any_timezone() -> None:
    plain = {
        "task": "proj.report",
        "cron": "30 2 * * *",
        "tz": "UTC",
        "args": [1, {"a": [2]}],
        "kwargs": {"full": True},
        "options": {"queue": "q", "expires": "1h", "headers": {"x": None}},
        "start": "2027-01-01",
        "end": "2028-01-01T00:00:00.5Z",
        "jitter": {"minutes": 1},
        "catch_up": "all",
        "catch_up_window": "1h30m",
        "max_runs": 3,
        "enabled": False,
        "dst_fold": "both",
        "description": "two\nlines",
    }
    entry = entry_from("a", plain, source="cli")
    assert entry_from("a", plain_of(entry), timezone="Asia/Shanghai") == entry


def test_what_is_at_its_default_is_left_out() -> None:
    assert plain_of(entry_from("a", GOOD)) == {"task": "proj.report", "every": "30s", "tz": "UTC"}


def test_all_problems_are_told_at_once() -> None:
    assert told({"evry": "1s", "tz": "Europe/Berln", "max_runs": 0, "enabled": "maybe"}) == [
        "evry: is not a key of an entry; did you mean every?",
        "tz: 'Europe/Berln' is not a time zone; did you mean Europe/Berlin?",
        "enabled: 'maybe' is neither true nor false",
        "max_runs: 0 is out of range; 1 or more will do",
        "task: is missing; give the name of the task to run, or a chain, group or chord",
    ]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"task": ""}, "task", "is empty"),
        ({"task": None}, "task", "is missing"),
        ({"every": None}, "every", "is empty"),
        ({"every": "5x"}, "every", "'5x' is not a duration"),
        ({"cron": "* * * * *"}, "cron", "both given"),
        ({"args": "[1]"}, "args", "is not a list"),
        ({"args": [float("nan")]}, "args", "JSON"),
        ({"args": [2**64]}, "args", "64 bits"),
        ({"args": [{1, 2}]}, "args", "JSON cannot carry"),
        ({"kwargs": [1]}, "kwargs", "is not a mapping"),
        ({"kwargs": {1: 2}}, "kwargs", "is not text"),
        ({"options": {"priority": 256}}, "options.priority", "0 to 255"),
        ({"options": {"expires": "soon"}}, "options.expires", "next"),
        ({"options": {"task_id": "x"}}, "options.task_id", "beatd makes the id"),
        ({"options": {"link": {"name": "x"}}}, "options.link", "signature"),
        ({"options": {"retry_policy": {"max_retry": 1}}}, "options.retry_policy", "max_retries"),
        ({"options": {"headers": "x=1"}}, "options.headers", "mapping"),
        ({"options": {"delivery_mode": 3}}, "options.delivery_mode", "persistent"),
        ({"options": {"time_limit": -1, "countdown": "-3"}}, "options.countdown", "duration"),
        (
            {"options": {"soft_time_limit": 60, "time_limit": 30}},
            "options.soft_time_limit",
            "killed",
        ),
        ({"options": {"countdown": 1, "eta": "2027-01-01"}}, "options.countdown", "exclude"),
        ({"catch_up": "every"}, "catch_up", "latest, all, skip"),
        ({"catch_up": "all"}, "catch_up", "catch_up_window"),
        ({"overlap": "wait"}, "overlap", "allow, skip, queue, replace"),
        ({"overlap": "skip"}, "overlap", "needs max_run as well (such as 2h)"),
        ({"overlap": "queue", "max_run": None}, "overlap", "needs max_run"),
        ({"overlap": "replace"}, "overlap", "replace needs max_run"),
        (
            {"overlap": "replace", "max_run": "1h", "task": None, "chain": ["a", "b"]},
            "overlap",
            "replace can end one task only, and this run has several; write queue or skip",
        ),
        ({"overlap": "skip", "max_run": 0}, "max_run", "above zero"),
        ({"max_run": "-1h"}, "max_run", "duration"),
        ({"max_run": "long"}, "max_run", "duration"),
        ({"start": "2027-01-02", "end": "2027-01-01"}, "end", "before start"),
        ({"start": "yesterday"}, "start", "ISO 8601"),
        ({"jitter": "-5s"}, "jitter", "duration"),
        ({"enabled": 1}, "enabled", "neither true nor false"),
        ({"dst_gap": "jump"}, "dst_gap", "run, skip"),
        ({"description": ["x"]}, "description", "text"),
    ],
)
def test_a_wrong_value_is_told_with_its_path(change: dict[str, Any], path: str, words: str) -> None:
    lines = told({**GOOD, **change})
    assert any(line.startswith(f"{path}: ") and words in line for line in lines), lines
    with pytest.raises(ConfigError):
        entry_from("tidy", {**GOOD, **change})


@pytest.mark.parametrize("max_run", [0, "long"])
def test_a_max_run_that_is_wrong_is_one_problem(max_run: Any) -> None:
    assert len(told({**GOOD, "overlap": "skip", "max_run": max_run})) == 1


@pytest.mark.parametrize("overlap", [None, "allow", "skip", "queue", "replace"])
def test_each_rule_of_overlap_goes_with_max_run(overlap: str | None) -> None:
    plain = {**GOOD, "max_run": "2h", **({"overlap": overlap} if overlap else {})}
    checked = check("a", plain)
    assert checked.entry is not None and checked.problems == []
    assert (checked.entry.overlap, checked.entry.max_run) == (
        overlap or "allow",
        timedelta(hours=2),
    )
    written = plain_of(checked.entry)
    assert written.get("overlap") == (None if overlap == "allow" else overlap)
    assert written["max_run"] == "2h"


def test_max_run_may_come_from_the_defaults() -> None:
    plain = {**GOOD, "overlap": "queue"}
    assert entry_from("a", plain, defaults={"max_run": "1h"}).max_run == timedelta(hours=1)
    with pytest.raises(ConfigError, match="needs max_run"):
        entry_from("a", GOOD, defaults={"overlap": "queue"})


@pytest.mark.parametrize("plain", [None, "x", [1], 5])
def test_an_entry_is_a_mapping(plain: Any) -> None:
    assert "is not an entry" in told(plain)[0]


@pytest.mark.parametrize(
    "name", ["with blanks in it", "🎉", "👩‍💻 deploy", "a" * 250, "a.b:c/d", "0", "日报"]
)
def test_such_names_are_right(name: str) -> None:
    assert entry_from(name, GOOD).name == name


@pytest.mark.parametrize(
    "name",
    ["", "  ", " x", "x ", "a" * 251, "a\nb", "a\x00", "a\x7f", "a\u2028b", "\ud800", 5, None],
)
def test_such_names_are_refused_in_one_line(name: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        entry_from(name, GOOD)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"cron": "0 0 13 * fri", "every": None}, "cron"),
        ({"every": "2d"}, "every"),
        ({"options": {"prioriti": 1}}, "options.prioriti"),
        ({"grace": "1s"}, "grace"),
        ({"catch_up_max": 5}, "catch_up_max"),
        ({"dst_gap": "skip"}, "dst_gap"),
        ({"options": {"serializer": "pickel"}}, "options.serializer"),
        ({"options": {"expires": 0}}, "options.expires"),
        ({"options": {"expires": -5.5}}, "options.expires"),
        ({"options": {"headers": {"id": "x"}}}, "options.headers.id"),
        ({"options": {"headers": {"task": "x"}}}, "options.headers.task"),
        (
            {"options": {"headers": {"periodic_task_name": "x"}}},
            "options.headers.periodic_task_name",
        ),
    ],
)
def test_a_warning_leaves_the_entry_as_it_is(change: dict[str, Any], path: str) -> None:
    plain = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    checked = check("a", plain)
    assert checked.entry is not None
    assert [p.warning for p in checked.problems] == [True]
    assert str(checked.problems[0]).startswith(f"{path}: ")


@pytest.mark.parametrize("cron", ["0 0 */2 * mon", "0 0 13 * *", "0 0 ? * mon", "@daily"])
def test_a_cron_text_that_restricts_one_day_is_no_warning(cron: str) -> None:
    assert told({"task": "t", "cron": cron}) == []


def test_defaults_lie_below_the_entry_and_options_are_merged_by_key() -> None:
    defaults = {"tz": "Asia/Shanghai", "options": {"queue": "periodic", "priority": 3}}
    plain = {**GOOD, "options": {"priority": 9, "queue": None}}
    entry = entry_from("a", plain, defaults=defaults)
    assert entry.tz == "Asia/Shanghai"
    assert entry.options == {"priority": 9}
    assert entry_from("a", GOOD, defaults=defaults).options == {"queue": "periodic", "priority": 3}


def test_options_are_kept_as_celery_takes_them() -> None:
    written = {"expires": "1h", "countdown": "1.5s", "eta": "2027-01-01T08:00:00+08:00"}
    del written["countdown"]
    options = entry_from("a", {**GOOD, "options": {**written, "priority": "5"}}).options
    assert options == {"expires": 3600, "eta": "2027-01-01T00:00:00+00:00", "priority": 5}
    for expires in ("next", " NEXT "):
        plain = {**GOOD, "options": {"expires": expires}}
        assert entry_from("a", plain).options == {"expires": "next"}


def test_an_option_that_beatd_does_not_know_is_passed_on() -> None:
    assert entry_from("a", {**GOOD, "options": {"x_stream": [1]}}).options == {"x_stream": [1]}


def test_a_moment_may_come_as_python_has_it() -> None:
    assert entry_from("a", {"task": "t", "at": datetime(2027, 1, 1, tzinfo=UTC)})
    assert entry_from("a", {"task": "t", "at": date(2027, 1, 1)})
    assert entry_from("a", {"task": "t", "every": timedelta(seconds=5)})


def test_several_problems_are_one_line_and_all_are_on_it() -> None:
    with pytest.raises(ConfigError) as refusal:
        entry_from("a", {"every": "5x"})
    assert str(refusal.value).endswith("(and 1 more problem)")
    assert len(refusal.value.problems) == 2


def test_any_configuration_error_carries_its_problems() -> None:
    assert [str(p) for p in ScheduleError("no such day").problems] == ["no such day"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("args", {"args": [CAFE]}),
        ("kwargs", {"kwargs": {"a": [{"b": CAFE}]}}),
        ("kwargs", {"kwargs": {CAFE: 1}}),
        ("description", {"description": CAFE}),
        ("task", {"task": CAFE}),
        ("options.headers", {"options": {"headers": {"x": CAFE}}}),
        ("options.queue", {"options": {"queue": CAFE}}),
        ("options", {"options": {CAFE: 1}}),
    ],
)
def test_bytes_that_are_no_text_are_a_problem_of_their_entry(
    field: str, given: dict[str, Any]
) -> None:
    (said,) = told({**GOOD, **given})
    assert said.startswith(f"{field}: ") and "\\udce9" in said


def test_a_file_whose_name_is_no_text_is_a_problem_of_its_entries() -> None:
    found = check("tidy", GOOD, declared_at=f"{CAFE}.yaml:1")
    assert found.entry is None
    assert str(found.problems[0]).startswith("the name of its file 'caf\\udce9.yaml:1'")


@pytest.mark.parametrize("key", [None, True, 1, 1.5, date(2027, 1, 1)])
def test_a_key_that_is_no_text_is_a_problem(key: Any) -> None:
    (said,) = told({**GOOD, key: 1})
    assert "is not a key of an entry" in said and str(key) in said


@pytest.mark.parametrize("event", [[], {"sunset": 1}, 5])
def test_an_event_of_the_sun_that_is_no_text_is_a_problem(event: Any) -> None:
    (said,) = told({"task": "t", "solar": {"event": event, "lat": 1, "lon": 1}})
    assert said.startswith("solar: ")


@pytest.mark.parametrize("key", ["expires", "countdown", "time_limit"])
@pytest.mark.parametrize("length", [1e20, 10**11])
def test_more_than_a_thousand_years_is_refused(key: str, length: float) -> None:
    (problem,) = told({**GOOD, "options": {key: length}})
    assert f"options.{key}" in problem and "years" in problem
