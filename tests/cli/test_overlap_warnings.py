"""What check and add tell of a rule about overlapping runs that may not work."""

from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery

from beatd.cli.entry_warnings import EVERYTHING_WORKS
from beatd.cli.overlap_warnings import OverlapFacts, overlap_warnings
from beatd.definition import entry_from
from beatd.publishers.remote_control import remote_control_missing
from tests.cli.conftest import Here

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def warned(facts: OverlapFacts = EVERYTHING_WORKS, /, **fields: Any) -> list[str]:
    plain = {"task": "t", "max_run": "2h", **fields}
    if "cron" not in plain:
        plain.setdefault("every", "1h")
    problems = list(overlap_warnings(entry_from("a", plain), facts, NOW))
    assert all(problem.warning for problem in problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    "fields",
    [
        {"every": "2h"},
        {"every": "1h"},
        {"cron": "0 * * * *"},
        {"cron": "0 */2 * * *"},
        {"cron": "0 0 1 1 *", "start": "2027-01-01", "end": "2027-01-02"},
    ],
)
def test_a_max_run_of_at_least_the_period_is_no_warning(fields: dict[str, Any]) -> None:
    assert warned(overlap="queue", **fields) == []


@pytest.mark.parametrize("fields", [{"every": "3h"}, {"cron": "0 */3 * * *"}])
def test_a_queue_may_pile_up_if_max_run_is_shorter_than_the_period(fields: dict[str, Any]) -> None:
    (line,) = warned(overlap="queue", **fields)
    assert line.startswith("max_run: 2h is shorter than the 3h between two moments")
    assert line.endswith("so runs can pile up; give 3h or more")


@pytest.mark.parametrize("overlap", ["allow", "skip", "replace"])
def test_other_rules_may_have_a_short_max_run(overlap: str) -> None:
    assert warned(overlap=overlap, every="1d") == []


def test_replace_without_remote_control_is_a_warning() -> None:
    facts = OverlapFacts("a broker like sqs has none")
    (line,) = warned(facts, overlap="replace")
    assert line == (
        "overlap: replace ends the running task by remote control, and a broker like sqs has none; "
        "use queue or skip, or another broker (redis:// or amqp://)"
    )
    assert warned(facts, overlap="queue") == warned(facts, overlap="skip") == []


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace"])
def test_without_outcomes_only_max_run_frees_an_entry(overlap: str) -> None:
    (line,) = warned(OverlapFacts(reads_outcomes=False), overlap=overlap)
    assert line.startswith(f"overlap: {overlap} never learns that a run ended")
    assert "for max_run (2h); set outcomes: {from: reports}" in line
    assert warned(OverlapFacts(reads_outcomes=False)) == []


@pytest.mark.parametrize(
    ("broker", "missing"),
    [
        ("redis://", ""),
        ("amqp://", ""),
        ("memory://", ""),
        ("filesystem://", ""),
        ("sqla+sqlite:///x.db", "a broker like sqla+sqlite has none"),
        ("sqs://", "a broker like sqs has none"),
        ("nonsense://", ""),
    ],
)
def test_remote_control_is_a_matter_of_the_broker(broker: str, missing: str) -> None:
    app = Celery("remote", broker=broker, set_as_current=False)
    assert remote_control_missing(app) == missing


def test_remote_control_may_be_switched_off_in_the_app() -> None:
    app = Celery("remote", broker="redis://", set_as_current=False)
    app.conf.worker_enable_remote_control = False
    assert "worker_enable_remote_control is off" in remote_control_missing(app)


def test_check_warns_of_rules_that_do_not_work(here: Here) -> None:
    here.file(
        "config.yaml",
        "broker: sqla+sqlite:///broker.db\n"
        "store: sqlite:///beatd.db\n"
        "outcomes: {from: off}\n"
        "entries:\n"
        "  a: {task: t, every: 1h, overlap: replace, max_run: 2h}\n"
        "  b: {task: t, every: 1h, overlap: queue, max_run: 5m}\n"
        "  c: {task: t, every: 1h}\n",
    )
    ended = here("check")
    assert "warning: entries.a.overlap: replace ends the running task by remote" in ended.out
    assert "warning: entries.a.overlap: replace never learns" in ended.out
    assert "warning: entries.b.overlap: queue never learns" in ended.out
    assert "warning: entries.b.max_run: 5m is shorter than the 1h" in ended.out
    assert "\n4 warnings: 3 entries in 1 file\n" in ended.out


def test_check_names_a_rule_without_its_limit(here: Here) -> None:
    here.config("entries:\n  a: {task: t, every: 1h, overlap: skip}\n")
    ended = here("check", code=1)
    assert "error: entries.a.overlap: skip needs max_run as well (such as 2h)" in ended.out


def test_add_edit_show_and_export_know_the_rule(here: Here) -> None:
    words = ("--task", "t", "--every", "1h", "--overlap", "queue")
    assert "--overlap: queue needs max_run" in here("add", "x", *words, code=2).line
    ended = here("add", "x", *words, "--max-run", "5m")
    assert "note: --max-run: 5m is shorter than the 1h" in ended.line
    assert here.json("show", "x")["overlap"] == "queue"
    assert here.json("list")[0]["max_run"] == "5m"
    assert "needs max_run" in here("edit", "x", "--unset", "max_run", code=2).line
    assert here("edit", "x", "--overlap", "skip", "--max-run", "2h").code == 0
    out = here("show", "x").out
    assert "overlap  skip" in out and "max_run  2h" in out
    exported = here("export").out
    assert "overlap: skip" in exported and 'max_run: "2h"' in exported


@pytest.mark.parametrize(
    ("canvas", "found"),
    [
        ({"group": ["a", "b"]}, "group: has no result of its own"),
        ({"chain": ["a", {"group": ["b", "c"]}]}, "chain: ends in a group, which has no result"),
        ({"chain": ["a", {"chain": ["b", {"group": ["c"]}]}]}, "chain: ends in a group"),
        ({"chord": {"header": ["a"], "body": {"group": ["b", "c"]}}}, "chord: ends in a group"),
        ({"chain": [{"group": ["a", "b"]}, "c"]}, None),
        ({"chord": {"header": ["a"], "body": "b"}}, None),
    ],
)
def test_a_canvas_that_ends_in_a_group_has_no_result(
    canvas: dict[str, Any], found: str | None
) -> None:
    entry = entry_from("a", {"every": "1h", **canvas})
    texts = [str(one) for one in overlap_warnings(entry, OverlapFacts(reads_results=True), NOW)]
    assert [text[: len(found or "")] for text in texts] == ([found] if found else [])
