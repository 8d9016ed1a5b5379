"""The contract of an EditableCatalog, kept by every store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatchcase
from itertools import product
from types import GeneratorType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from beatd.catalog import Change, Plan, Position, Query, Stored
from beatd.definition import codec, entry_from
from beatd.errors import ConfigError
from beatd.leader import Term
from beatd.marks import Mark
from beatd.run import Skip
from beatd.store import Store
from tests.stores.making import (
    NOON,
    asked,
    at,
    claimed,
    edit,
    entry,
    lead,
    names,
    past,
    plan,
    put,
    put_many,
    request_of,
    row,
    step,
)
from tests.typed import ALIKE, ARGS, KWARGS, shown

AWKWARD = [
    "two words",
    " blanks around ",
    "line\nbreak",
    "tab\there",
    "n" * 300,
    "ünïcödé",
    "🐝 bee",
    "it's",
    'say "hello"',
    "100%",
    "under_score",
    "star*",
    "what?",
    "[a-z]",
    "back\\slash",
    "semi;colon",
    "{curly}",
    "a:b:c",
    "../up",
    "Tidy",
    "tidy ",
    "TIDY",
]

MOMENTS = [
    datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(2106, 2, 7, 6, 28, 16, 123_457, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


# writing


@given(args=ARGS, kwargs=KWARGS, headers=KWARGS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_arguments_read_back_with_their_types(
    store: Store, args: list[Any], kwargs: dict[str, Any], headers: dict[str, Any]
) -> None:
    written = entry(args=args, kwargs=kwargs, options={"headers": headers})
    (there,) = [*store.find(Query(names=("tidy",))), None][:1]
    before = there.revision if there else 0
    assert store.write([Change("tidy", before, written, plan(0) if not there else None)]) == [True]
    assert shown(row(store).entry) == shown(written) == repr((args, kwargs, {"headers": headers}))


def test_equal_arguments_of_other_types_are_read_back_apart(
    store: Store, reopen: Callable[[], Store]
) -> None:
    written = [entry(f"alike {at}", args=[value]) for at, value in enumerate(ALIKE)]
    store.write([Change(one.name, 0, one, plan(0)) for one in written])
    for handle in (store, reopen()):
        kept = {found.entry.name: found.entry for found in handle.find(Query())}
        assert [shown(kept[one.name]) for one in written] == [shown(one) for one in written]


def test_an_entry_reads_back_as_it_was_written(store: Store) -> None:
    written = entry(
        args=[1, "zwei", None, {"three": [3.5]}],
        kwargs={"full": True, "ratio": 0.1, "text": "ü 🐝 \n"},
        options={"queue": "feed", "priority": 5, "headers": {"x": 1}},
        tz="Europe/Berlin",
        start="2026-01-01T00:00:00.000001Z",
        end="2099-01-01T00:00:00Z",
        max_runs=7,
        jitter="30s",
        catch_up="all",
        catch_up_window="10m",
        catch_up_max=5,
        grace="90s",
        on_unknown="skip",
        description="what it is for",
        source="yaml:config",
        declared_at="schedules/a.yaml:3",
    )
    assert store.write([Change("tidy", 0, written, plan(0))]) == [True]
    assert row(store).entry == written


def test_a_new_entry_has_its_plan_and_no_runs(store: Store) -> None:
    given = Plan(at(1), at(1.5), "mark", "2026a/1")
    store.write([Change("tidy", 0, entry(), given)])
    found = row(store)
    assert (found.plan, found.runs, found.last, found.paused) == (given, 0, None, False)
    assert found.revision > 0


def test_a_new_entry_may_bring_what_another_scheduler_did(store: Store) -> None:
    change = Change("tidy", 0, entry(), plan(5), runs=41, last=at(-60))
    assert store.write([change]) == [True]
    found = row(store)
    assert (found.plan, found.runs, found.last) == (plan(5), 41, at(-60))
    assert store.write([Change("tidy", found.revision, entry(), runs=1, last=at(0))]) == [True]
    assert (row(store).runs, row(store).last) == (41, at(-60))


def test_an_entry_without_a_plan_has_nothing_ahead(store: Store) -> None:
    store.write([Change("tidy", 0, entry())])
    assert row(store).plan.planned is None
    assert not store.upcoming(10)


def test_a_new_entry_is_refused_where_the_name_is_taken(store: Store) -> None:
    before = put(store)
    assert store.write([Change("tidy", 0, entry(task="proj.other"), plan(50))]) == [False]
    assert row(store) == before


def test_a_change_made_from_something_old_is_refused(store: Store) -> None:
    first = put(store)
    assert store.write([Change("tidy", first.revision, entry(task="proj.two"))]) == [True]
    assert store.write([Change("tidy", first.revision, entry(task="proj.three"))]) == [False]
    assert row(store).entry.task == "proj.two"


def test_a_change_of_an_entry_that_is_gone_is_refused(store: Store) -> None:
    first = put(store)
    store.write([Change("tidy", first.revision, None)])
    assert store.write([Change("tidy", first.revision, entry(task="proj.two"))]) == [False]
    assert not list(store.find(Query()))


def test_a_revision_grows_with_every_change_and_with_every_pause(store: Store) -> None:
    seen = [put(store).revision]
    for change in (
        Change("tidy", 0, entry(task="proj.two")),
        Change("tidy", 0, entry(task="proj.two"), paused=True),
        Change("tidy", 0, entry(task="proj.two"), plan(7)),
    ):
        again = replace(change, seen=seen[-1], progress=row(store).progress)
        assert store.write([again]) == [True]
        seen.append(row(store).revision)
    assert seen == sorted(set(seen))


def test_a_revision_never_repeats_for_a_name_that_came_back(store: Store) -> None:
    first = put(store)
    store.write([Change("tidy", first.revision, None)])
    assert put(store).revision > first.revision


def test_a_claim_leaves_the_revision_and_the_version_alone(store: Store) -> None:
    stored, version = put(store), store.version()
    claimed(store, stored, lead(store))
    assert row(store).revision == stored.revision
    assert store.version() == version


def test_an_edit_without_a_plan_leaves_the_moment_where_it_is(store: Store) -> None:
    stored = put(store, planned=5)
    claimed(store, stored, lead(store), following=15)
    store.write([Change("tidy", stored.revision, entry(task="proj.two"))])
    found = row(store)
    assert (found.plan, found.runs, found.last) == (plan(15), 1, at(5))


def test_an_edit_with_a_plan_moves_the_moment_and_keeps_the_runs(store: Store) -> None:
    stored = put(store, planned=5)
    claimed(store, stored, lead(store), following=15)
    assert store.write([edit(row(store), entry(every="1m"), plan(60, "other"))]) == [True]
    found = row(store)
    assert (found.plan, found.runs, found.last) == (plan(60, "other"), 1, at(5))
    assert names(store.upcoming(10)) == ["tidy"]


def test_a_paused_entry_is_there_and_has_nothing_ahead(store: Store) -> None:
    stored = put(store)
    store.write([edit(stored, stored.entry, plan(0), paused=True)])
    found = row(store)
    assert found.paused
    assert (found.plan.due, found.plan.fingerprint) == (None, "mark")
    assert not store.upcoming(10)


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_stopped_keeps_the_moment_it_had_reached(store: Store, enabled: bool) -> None:
    stored = put(store, planned=5)
    claimed(store, stored, lead(store), following=15)
    made, paused = entry(enabled=enabled), enabled
    store.write([Change("tidy", row(store).revision, made, paused=paused)])
    assert row(store).plan == Plan(at(15), None, "mark", "1")
    assert [(r.plan.planned, r.plan.due) for r in store.find(Query(order="next"))] == [
        (at(15), None)
    ]
    store.write([Change("tidy", row(store).revision, entry(args=[1]), paused=True)])
    assert row(store).plan.planned == at(15)
    store.write([Change("tidy", row(store).revision, entry())])  # going on needs a plan
    assert row(store).plan == Plan(None, None, "mark", "1")


def test_what_a_change_passes_over_is_told(store: Store) -> None:
    stored = put(store, planned=0)
    store.write([Change("tidy", stored.revision, stored.entry, paused=True)])
    passed = Skip(at(0), at(90), 10, "paused")
    going_on = edit(row(store), stored.entry, plan(100), skip=passed)
    assert store.write([replace(going_on, seen=9), going_on, going_on]) == [False, True, False]
    (record,) = past(store, "tidy")
    assert (record.planned, record.until, record.count) == (at(0), at(90), 10)
    assert (record.state, record.reason, record.at_least) == ("skipped", "paused", False)
    assert row(store).plan == plan(100)


def test_the_moment_that_a_definition_came_too_late_for_is_told(store: Store) -> None:
    missed = Skip(at(0), at(0), 1, "past when added")
    change = Change("tidy", 0, entry(), plan(None), missed=missed)
    assert store.write([change, change]) == [True, False]
    stored = row(store)
    again = edit(stored, entry(), plan(None, "two"), missed=replace(missed, reason="past"))
    assert store.write([replace(again, seen=9), again]) == [False, True]
    told = [(record.planned, record.state, record.reason) for record in past(store, "tidy")]
    assert told == [(at(0), "skipped", "past"), (at(0), "skipped", "past when added")]


def test_what_was_claimed_since_it_was_seen_is_not_told_as_passed_over(store: Store) -> None:
    stored = put(store, planned=0)
    claimed(store, stored, lead(store), following=10)
    change = edit(stored, entry(), plan(60, "two"), skip=Skip(at(0), at(0), 1, "edited"))
    assert store.write([change]) == [False]
    assert [record.state for record in past(store)] == ["claimed"]


def claim(store: Store, stored: Stored, term: Term) -> None:
    claimed(store, stored, term)


def pass_over(store: Store, stored: Stored, term: Term) -> None:
    skips = (Skip(at(0), at(0), 1, "late"),)
    assert store.claim([step(store, stored, run=None, counts=0, skips=skips)], term, at(1)) == [
        True
    ]


def work_off(store: Store, stored: Stored, term: Term) -> None:
    backlog = request_of(stored, "backlog", -20, -10)
    store.add_requests([backlog])
    assert store.claim([asked(store, backlog, stored, counts=1)], term, at(1)) == [True]


@pytest.mark.parametrize("happens", [claim, pass_over, work_off])
def test_a_plan_is_refused_where_the_row_has_moved_since_it_was_reckoned(
    store: Store, happens: Callable[[Store, Stored, Term], None]
) -> None:
    """Put after a claim, it would set the row back, and the moment claimed would run again."""
    stored, other, term = put(store), put(store, "other"), lead(store)
    happens(store, stored, term)
    moved, made = row(store), entry(every="5s")
    late = edit(stored, made, plan(0, "two"))
    assert store.write([late, edit(other, entry("other", args=[1]), plan(0))]) == [False, True]
    assert row(store) == moved
    assert store.write([edit(moved, made, plan(20, "two"))]) == [True]
    assert row(store).plan == plan(20, "two")
    assert (row(store).runs, row(store).last) == (moved.runs, moved.last)


def test_an_edit_that_moves_nothing_does_not_mind_a_claim(store: Store) -> None:
    stored = put(store)
    claimed(store, stored, lead(store))
    assert store.write([edit(stored, entry(args=[1]))]) == [True]
    assert (row(store).plan, row(store).entry.args) == (plan(10), (1,))


def test_a_plan_that_does_not_say_what_it_was_reckoned_from_is_refused(store: Store) -> None:
    stored = put(store)
    assert store.write([Change("tidy", stored.revision, stored.entry, plan(60))]) == [False]
    assert row(store) == stored


def test_a_disabled_entry_has_nothing_ahead_whatever_plan_came(store: Store) -> None:
    assert store.write([Change("tidy", 0, entry(enabled=False), plan(0))]) == [True]
    assert row(store).plan.due is None
    assert not store.upcoming(10)


def test_a_resumed_entry_is_ahead_again(store: Store) -> None:
    stored = put(store)
    store.write([Change("tidy", stored.revision, stored.entry, paused=True)])
    assert store.write([edit(row(store), stored.entry, plan(30))]) == [True]
    assert [(r.paused, r.plan.due) for r in store.upcoming(10)] == [(False, at(30))]


def test_a_removed_entry_is_gone_from_everywhere(store: Store) -> None:
    stored = put(store)
    assert store.write([Change("tidy", stored.revision, None)]) == [True]
    assert not list(store.find(Query()))
    assert not store.upcoming(10)


def test_removing_from_something_old_is_refused(store: Store) -> None:
    first = put(store)
    store.write([Change("tidy", first.revision, entry(task="proj.two"))])
    assert store.write([Change("tidy", first.revision, None)]) == [False]
    assert row(store).entry.task == "proj.two"


def test_a_name_that_came_back_starts_from_nothing(store: Store) -> None:
    stored = put(store)
    claimed(store, stored, lead(store))
    store.write([Change("tidy", stored.revision, None)])
    found = put(store, planned=40)
    assert (found.runs, found.last, found.plan) == (0, None, plan(40))


def test_changes_of_a_batch_are_answered_one_by_one(store: Store) -> None:
    kept, old = put(store, "kept"), put(store, "old")
    assert store.write(
        [
            Change("new", 0, entry("new"), plan(1)),
            Change("kept", kept.revision + 1000, entry("kept", task="proj.x")),
            Change("old", old.revision, None),
            Change("kept", kept.revision, entry("kept", task="proj.y")),
        ]
    ) == [True, False, True, True]
    assert names(store.find(Query())) == ["kept", "new"]
    assert row(store, "kept").entry.task == "proj.y"


def test_of_two_new_entries_of_one_name_in_a_batch_the_first_wins(store: Store) -> None:
    changes = [Change("tidy", 0, entry(task=f"proj.{n}"), plan(n)) for n in range(2)]
    assert store.write(changes) == [True, False]
    assert (row(store).entry.task, row(store).plan) == ("proj.0", plan(0))


def test_a_name_can_be_removed_and_added_in_one_batch(store: Store) -> None:
    stored = put(store)
    changes = [
        Change("tidy", stored.revision, None),
        Change("tidy", 0, entry(task="proj.two"), plan(7)),
    ]
    assert store.write(changes) == [True, True]
    assert row(store).plan == plan(7)


def test_nothing_to_write_is_written(store: Store) -> None:
    assert list(store.write([])) == []


def test_a_thousand_changes_are_one_batch(store: Store) -> None:
    many = [f"entry-{n:04}" for n in range(1000)]
    rows = put_many(store, many)
    assert len({r.entry.name for r in rows}) == 1000
    changes = [Change(r.entry.name, r.revision, None) for r in rows[:-1]]
    assert all(store.write(changes))
    assert names(store.find(Query())) == many[-1:]


def test_any_name_is_a_name(store: Store) -> None:
    term = lead(store)
    for name in AWKWARD:
        stored = put(store, name)
        assert stored.entry.name == name
        run = claimed(store, stored, term)
        assert run.occurrence.name == name
        assert [record.name for record in past(store, name)] == [name]
        assert name in names(store.upcoming(len(AWKWARD)))
    assert sorted(names(store.upcoming(len(AWKWARD)))) == sorted(AWKWARD)


def test_names_that_differ_in_anything_are_different_names(store: Store) -> None:
    put_many(store, AWKWARD)
    assert sorted(names(store.find(Query()))) == sorted(AWKWARD)
    for name in AWKWARD:
        assert names(store.find(Query(names=(name,)))) == [name]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_moments_are_exact_to_the_microsecond(store: Store, moment: datetime) -> None:
    stored = put(store, planned=moment)
    assert stored.plan.planned == moment
    assert stored.plan.planned.utcoffset() == timedelta(0)
    (soonest,) = store.upcoming(1)
    assert soonest.plan.due == moment
    run = claimed(store, stored, lead(store), following=None)
    assert row(store).last == moment
    assert [claim.planned for claim in past(store)] == [run.occurrence.planned] == [moment]


def test_a_moment_may_come_in_any_zone(store: Store) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    stored = put(store, planned=shanghai)
    assert stored.plan.planned == NOON
    assert store.claim([step(store, stored, seen=NOON)], lead(store), at(1)) == [True]


# the version


def test_the_version_changes_when_entries_do(store: Store) -> None:
    seen = [store.version()]
    stored = put(store)
    seen.append(store.version())
    store.write([Change("tidy", stored.revision, stored.entry, paused=True)])
    seen.append(store.version())
    store.write([Change("tidy", row(store).revision, None)])
    seen.append(store.version())
    assert len(set(seen)) == 4


def test_the_version_stays_when_nothing_was_done(store: Store) -> None:
    put(store)
    version = store.version()
    store.write([Change("tidy", 0, entry(), plan(1))])
    store.write([Change("none", 0, None)])
    store.write([])
    list(store.find(Query()))
    assert store.version() == version


# finding


def test_entries_are_found_by_name_in_order(store: Store) -> None:
    put_many(store, ["b", "a", "c"])
    assert names(store.find(Query())) == ["a", "b", "c"]


def test_names_are_ordered_by_code_point_everywhere(store: Store) -> None:
    mixed = ["a", "B", "_", "ä", "Z", "z", "🐝", "1", "a b", "a-b", "aB", "ab"]
    put_many(store, mixed)
    assert names(store.find(Query())) == sorted(mixed)


def test_the_next_run_comes_first_and_nothing_ahead_comes_last(store: Store) -> None:
    for name, planned in (("late", 30), ("idle-b", None), ("soon", 1), ("idle-a", None)):
        put(store, name, planned)
    found = names(store.find(Query(order="next")))
    assert found == ["soon", "late", "idle-a", "idle-b"]


def test_equal_next_runs_are_ordered_by_name(store: Store) -> None:
    put_many(store, ["b", "c", "a"])
    assert names(store.find(Query(order="next"))) == ["a", "b", "c"]


def test_only_the_names_asked_for_are_found(store: Store) -> None:
    put_many(store, ["a", "b", "c"])
    assert names(store.find(Query(names=("c", "none", "a", "a")))) == ["a", "c"]
    assert names(store.find(Query(names=()))) == []


def test_a_thousand_names_are_asked_for_at_once(store: Store) -> None:
    many = [f"entry-{n:04}" for n in range(1500)]
    put_many(store, many)
    assert names(store.find(Query(names=tuple(many)))) == many


PATTERNS = {
    "*": ["a%b", "a*b", "a_b", "aXb", "axb", "a[b", "b"],
    "a*": ["a%b", "a*b", "a_b", "aXb", "axb", "a[b"],
    "a?b": ["a%b", "a*b", "a_b", "aXb", "axb", "a[b"],
    "a%b": ["a%b"],
    "a_b": ["a_b"],
    "a[b": ["a[b"],
    "a[X]b": [],
    "axb": ["axb"],
    "A*": [],
    "*b": ["a%b", "a*b", "a_b", "aXb", "axb", "a[b", "b"],
    "?": ["b"],
    "": [],
}


def test_a_pattern_means_star_and_question_mark_and_nothing_else(store: Store) -> None:
    put_many(store, ["a%b", "a*b", "a_b", "aXb", "axb", "a[b", "b"])
    found = {pattern: names(store.find(Query(name_like=pattern))) for pattern in PATTERNS}
    assert found == {pattern: sorted(expected) for pattern, expected in PATTERNS.items()}


def test_a_pattern_may_span_lines_and_hold_backslashes(store: Store) -> None:
    put_many(store, ["a\nb", "a\\b", "it's 100%"])
    assert names(store.find(Query(name_like="it's ?00%"))) == ["it's 100%"]
    assert names(store.find(Query(name_like="a*b"))) == ["a\nb", "a\\b"]
    assert names(store.find(Query(name_like="a\\b"))) == ["a\\b"]


def test_entries_are_found_by_task_source_and_due(store: Store) -> None:
    put(store, "a", 1, task="proj.feed.pull", source="yaml:config")
    put(store, "b", 2, task="proj.feed.push")
    put(store, "c", None, task="proj.tidy")
    assert names(store.find(Query(task_like="*.feed.*"))) == ["a", "b"]
    assert names(store.find(Query(task_like="proj.feed.pus?"))) == ["b"]
    assert names(store.find(Query(source="yaml:config"))) == ["a"]
    assert names(store.find(Query(source="yaml"))) == []
    assert names(store.find(Query(due_before=at(2)))) == ["a"]
    assert names(store.find(Query(due_before=at(2.000001)))) == ["a", "b"]


def test_a_search_finds_each_task_of_a_canvas(store: Store) -> None:
    steps = ["proj.extract", {"task": "proj.load", "args": ["proj.args"], "link": ["proj.mail"]}]
    canvases: dict[str, dict[str, Any]] = {
        "a": {"chain": steps},
        "b": {"group": ["other.load"]},
        "c": {"task": "proj.load"},
    }
    made = [entry_from(name, {"every": "1h", **what}) for name, what in canvases.items()]
    store.write([Change(one.name, 0, one, plan(0)) for one in made])
    for pattern, found in (
        ("proj.load", ["a", "c"]), ("*.load", ["a", "b", "c"]), ("proj.ext*", ["a"]),
        ("proj.mail", ["a"]), ("load", []), ("proj.args", []), ("*", ["a", "b", "c"]),
    ):  # fmt: skip
        assert names(store.find(Query(task_like=pattern))) == found, pattern
    assert names(store.find(Query(contains="EXTRACT"))) == ["a"]


def test_what_is_disabled_or_paused_is_not_enabled(store: Store) -> None:
    put(store, "on")
    put(store, "off", enabled=False)
    paused = put(store, "paused")
    put(store, "finished", planned=None)
    store.write([Change("paused", paused.revision, paused.entry, paused=True)])
    assert names(store.find(Query(enabled=True))) == ["finished", "on"]
    assert names(store.find(Query(enabled=False))) == ["off", "paused"]
    assert names(store.find(Query(enabled=None))) == ["finished", "off", "on", "paused"]


def test_everything_asked_for_must_hold(store: Store) -> None:
    put(store, "a", 1, source="x")
    put(store, "ab", 1, source="y")
    put(store, "ac", 9, source="x")
    query = Query(name_like="a*", source="x", due_before=at(5), names=("a", "ab", "ac"))
    assert names(store.find(query)) == ["a"]


def test_what_older_rules_planned_is_found(store: Store) -> None:
    for name, planned, rules in (("old", 3, "2025a/9"), ("new", 2, "2026a/1"), ("older", 1, "1")):
        made = plan(planned, rules=rules)
        assert store.write([Change(name, 0, entry(name), made)]) == [True]
    assert names(store.find(Query(rules_before="2026a/1", order="next"))) == ["older", "old"]
    assert names(store.find(Query(rules_before="2026a/1"))) == ["old", "older"]
    assert names(store.find(Query(rules_before="1"))) == []


@pytest.mark.parametrize("few", [1, 10_000], ids=["many", "few"])
@pytest.mark.parametrize("order", ["name", "next"])
def test_whatever_is_asked_for_the_same_rows_come_in_the_same_order(
    store: Store, order: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A store may go another way to few rows than to many.
    monkeypatch.setattr("beatd.stores.sql.catalog_reads.FEW", few)
    monkeypatch.setattr("beatd.stores.redis.name_search.NAMES_SORTED_BY_DUE", few)
    for number in range(24):
        source, task = ("x", "y", "cli")[number % 3], f"proj.job{number % 4}"
        name, due = f"{'ab'[number % 2]}-{number * 7 % 24:02}", None if number % 5 == 4 else -number
        put(store, name, due, source=source, task=task, enabled=number % 6 != 3)
    every = list(store.find(Query(order=order)))
    for name_like, source, due_before, enabled, task_like in product(
        (None, "a-*", "b-1?", "a-14", "*2"),
        (None, "x", "nobody"),
        (None, at(-8), at(1)),
        (None, True, False),
        (None, "*job1"),
    ):
        asked = Query(
            name_like=name_like,
            source=source,
            due_before=due_before,
            enabled=enabled,
            task_like=task_like,
            order=order,
        )
        assert list(store.find(asked)) == [row for row in every if holds(row, asked)], asked


def holds(row: Stored, query: Query) -> bool:
    made, due = row.entry, row.plan.due
    return (
        (query.name_like is None or fnmatchcase(made.name, query.name_like))
        and (query.task_like is None or fnmatchcase(made.task, query.task_like))
        and query.source in (None, made.source)
        and (query.due_before is None or (due is not None and due < query.due_before))
        and query.enabled in (None, made.enabled and not row.paused)
    )


@pytest.mark.parametrize("order", ["name", "next"])
def test_a_limit_is_the_most_that_is_found(store: Store, order: str) -> None:
    put_many(store, [f"entry-{n}" for n in range(5)])
    assert names(store.find(Query(order=order, limit=2))) == ["entry-0", "entry-1"]
    assert names(store.find(Query(order=order, limit=0))) == []
    assert len(names(store.find(Query(order=order, limit=50)))) == 5


def test_many_entries_of_one_source_are_read_page_by_page(store: Store) -> None:
    many = [entry(f"entry-{n:03}", source="xy"[n % 2]) for n in range(300)]
    assert all(store.write([Change(made.name, 0, made, plan(0)) for made in many]))
    wanted = [f"entry-{n:03}" for n in range(0, 300, 2)]
    assert names(store.find(Query(source="x"))) == wanted
    found: list[str] = []
    after = None
    while page := names(store.find(Query(source="x", after=after, limit=40))):
        found += page
        after = Position(page[-1])
    assert found == wanted


def test_a_stream_survives_edits_while_it_is_read(store: Store) -> None:
    rows = put_many(store, [f"entry-{n:04}" for n in range(1200)])
    stream = store.find(Query())
    assert not isinstance(stream, list)
    first = next(stream)
    store.write([Change(r.entry.name, r.revision, None) for r in rows[600:700]])
    put(store, "entry-9999")
    found = [first.entry.name, *names(stream)]
    assert len(found) == len(set(found))
    assert {r.entry.name for r in rows} - set(found) <= {r.entry.name for r in rows[600:700]}
    assert found == sorted(found)


def test_a_stream_that_is_left_unread_holds_nothing_up(store: Store) -> None:
    put_many(store, [f"entry-{n:04}" for n in range(1200)])
    stream = store.find(Query())
    next(stream)
    stored = put(store, "late")
    if isinstance(stream, GeneratorType):
        stream.close()
    assert store.write([Change("late", stored.revision, None)]) == [True]


# what this program cannot read


def test_an_unreadable_entry_is_left_alone_and_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(codec).decode

    def decode(self: object, name: str, definition: bytes, source: str, declared_at: str) -> object:
        if name == "newer":
            raise ConfigError("entry 'newer' in the store cannot be read: kind 'lunar'")
        return real(codec, name, definition, source, declared_at)

    monkeypatch.setattr(type(codec), "decode", decode)
    for name in ("a", "newer", "z"):
        assert store.write([Change(name, 0, entry(name), plan(0))]) == [True]
    assert names(store.find(Query())) == ["a", "z"]
    assert names(store.upcoming(2)) == ["a", "z"]
    assert any("newer" in problem for problem in store.problems())
    assert store.write([Change("newer", 0, entry("newer"), plan(1))]) == [False]


def test_what_cannot_be_read_is_looked_for_among_what_is_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("embedded.memory", "sql.catalog_reads", "redis.catalog"):
        monkeypatch.setattr(f"beatd.stores.{module}.CHECKED", 2)
    put_many(store, ["a", "b", "newer"])
    read: list[str] = []

    def decode(self: object, name: str, definition: bytes, source: str, declared_at: str) -> object:
        read.append(name)
        raise ConfigError(f"entry {name!r} in the store cannot be read: kind 'lunar'")

    monkeypatch.setattr(type(codec), "decode", decode)
    assert len(store.problems()) == 2
    assert "newer" not in read


def test_a_sound_store_has_no_problems(store: Store) -> None:
    put(store)
    assert list(store.problems()) == []


# what an owner applied last


def test_nothing_is_marked_as_applied_at_first(store: Store) -> None:
    assert store.read_mark("yaml:config") is None


def test_the_mark_of_each_owner_is_kept_apart(store: Store) -> None:
    one = Mark("yaml:config", at(0.000001), "digest")
    two = Mark("app:config", at(1), "other")
    store.write_mark(one)
    store.write_mark(two)
    assert (store.read_mark("yaml:config"), store.read_mark("app:config")) == (one, two)
    later = Mark("yaml:config", at(2), "newer")
    store.write_mark(later)
    assert store.read_mark("yaml:config") == later


# two handles


def test_what_one_wrote_another_reads_at_once(store: Store, reopen: Callable[[], Store]) -> None:
    other = reopen()
    stored = put(store)
    assert list(other.find(Query())) == [stored]
    assert other.version() == store.version()
    assert other.write([Change("tidy", stored.revision, None)]) == [True]
    assert not list(store.find(Query()))
    store.write_mark(Mark("app:config", at(1), "digest"))
    assert other.read_mark("app:config") == Mark("app:config", at(1), "digest")


def test_everything_is_there_after_reopening(store: Store, reopen: Callable[[], Store]) -> None:
    stored = put(store, args=["ü"], start="2026-01-01T00:00:00Z")
    claimed(store, stored, lead(store))
    store.add_requests([request_of(stored)])
    other = reopen()
    assert other.namespace == store.namespace
    assert list(other.find(Query())) == list(store.find(Query()))
    assert past(other) == past(store)
    assert other.requests(10) == store.requests(10)
    assert other.term() == store.term()


def test_one_of_many_racing_edits_wins_each_round(
    store: Store, reopen: Callable[[], Store]
) -> None:
    put(store)
    handles = [store, reopen(), reopen(), reopen()]
    with ThreadPoolExecutor(len(handles)) as threads:
        for n in range(5):
            seen = row(store).revision

            def edit(handle: Store, n: int = n, seen: int = seen) -> bool:
                mine = entry(task=f"proj.{n}.{handles.index(handle)}")
                (done,) = handle.write([Change("tidy", seen, mine)])
                return done

            assert sorted(threads.map(edit, handles)) == [False, False, False, True]


def test_no_patch_is_lost_among_racing_editors(store: Store, reopen: Callable[[], Store]) -> None:
    put(store, kwargs={"count": 0})

    def add_five(handle: Store) -> None:
        for _ in range(5):
            while True:
                seen = row(handle)
                count = seen.entry.kwargs["count"] + 1
                if handle.write([Change("tidy", seen.revision, entry(kwargs={"count": count}))])[0]:
                    break

    handles = [store, reopen(), reopen()]
    with ThreadPoolExecutor(len(handles)) as threads:
        list(threads.map(add_five, handles))
    assert row(store).entry.kwargs == {"count": 15}
