"""Which runs change between two sets of entries."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.definition import entry_from
from beatd.entry import Entry
from beatd.views import set_changes as module
from beatd.views.run_changes import ENTRY_RUNS_MAX, RunChanges
from beatd.views.set_changes import Herd, SetChanges, set_changes

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def entry(name: str = "x", **plain: Any) -> Entry:
    return entry_from(name, {"task": "t", **plain})


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> RunChanges:
    """The changes of the runs of an entry."""
    [change] = set_changes([entry(**old)], [entry(**new)], NOON, NOON + WEEK).entries
    assert change.runs is not None
    return change.runs


def counts(runs: RunChanges) -> tuple[int, int, int]:
    return len(runs.added), len(runs.gone), len(runs.moved)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"cron": "30 2 * * *"}, {"cron": "30 3 * * *"}, (0, 0, 7)),
        ({"cron": "0 9,17 * * *"}, {"cron": "0 9,18 * * *"}, (0, 0, 7)),
        ({"every": "1h"}, {"every": "2h"}, (0, 84, 0)),
        ({"every": "30m"}, {"every": "20m"}, (336, 168, 0)),
        ({"cron": "0 2 * * *"}, {"cron": "0 2 * * *", "enabled": False}, (0, 7, 0)),
        ({"cron": "0 2 * * *", "enabled": False}, {"cron": "0 2 * * *"}, (7, 0, 0)),
        ({"cron": "0 2 * * *"}, {"cron": "0 2 * * *", "max_runs": 2}, (0, 5, 0)),
        ({"cron": "0 2 * * *"}, {"cron": "0 2 * * *", "end": "2027-01-07"}, (0, 5, 0)),
        ({"cron": "0 2 * * *"}, {"cron": "0 2 * * *", "tz": "Europe/Berlin"}, (0, 0, 7)),
        ({"at": "2027-01-05T09:00"}, {"at": "2027-01-06T09:00"}, (0, 0, 1)),
        ({"at": "2027-01-05T09:00"}, {"at": "2028-01-06T09:00"}, (0, 1, 0)),
        ({"cron": "0 2 * * *"}, {"cron": "0 2 * * *", "jitter": "5m"}, (0, 0, 0)),
    ],
)
def test_runs_are_added_gone_or_moved(
    old: dict[str, Any], new: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    assert counts(compared(old, new)) == expected


def test_each_run_moves_to_its_nearest_new_moment_even_across_the_ends() -> None:
    runs = compared({"cron": "0 10 * * *"}, {"cron": "0 14 * * *"})
    assert {new - old for old, new in runs.moved} == {timedelta(hours=4)}
    # Today's run was at 10:00, before the range, so the one at 14:00 is one more.
    assert (runs.added, runs.gone) == ((NOON.replace(hour=14),), ())


def test_an_entry_that_only_sends_something_else_keeps_its_runs() -> None:
    changes = set_changes(
        [entry(every="1h"), entry("same", every="1h")],
        [entry(every="1h", args=[1]), entry("same", every="1h")],
        NOON,
        NOON + WEEK,
    )
    assert [(one.name, one.runs, one.is_counted) for one in changes.entries] == [("x", None, True)]
    assert changes.unchanged == 1


def test_the_file_of_an_entry_does_not_count() -> None:
    moved = entry_from("x", {"task": "t", "every": "1h"}, declared_at="b.yaml:3", source="yaml:b")
    changes = set_changes([entry(every="1h")], [moved], NOON, NOON + WEEK)
    assert (changes.entries, changes.unchanged) == ((), 1)


def test_an_entry_with_very_many_runs_is_compared_in_part_and_counted_whole() -> None:
    runs = compared({"every": "10s"}, {"every": "5s"})
    assert (runs.before, runs.after, runs.complete) == (60480, 120960, False)
    assert runs.until == NOON + ENTRY_RUNS_MAX * timedelta(seconds=5)
    assert counts(runs) == (ENTRY_RUNS_MAX // 2, 0, 0)


def test_after_many_runs_the_other_entries_are_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RUNS_COMPARED_MAX", 300)
    new = [entry(name, every="1h") for name in ("a", "b", "c")]
    changes = set_changes([], new, NOON, NOON + WEEK)
    assert [one.is_counted for one in changes.entries] == [True, True, False]


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ({"every": "1h"}, {"every": "20m"}, True),
        ({"every": "1h"}, {"every": "30m"}, False),
        ({"every": "10s"}, {"every": "1s"}, True),
        ({"cron": "0 0 * * mon"}, {"cron": "0 0 * * *"}, True),
    ],
)
def test_far_more_often(old: dict[str, Any], new: dict[str, Any], more: bool) -> None:
    [change] = set_changes([entry(**old)], [entry(**new)], NOON, NOON + WEEK).entries
    assert change.far_more_often == more


@pytest.mark.parametrize(("new", "less"), [("3h", True), ("2h", False), ("20m", False)])
def test_far_less_often(new: str, less: bool) -> None:
    [change] = set_changes([entry(every="1h")], [entry(every=new)], NOON, NOON + WEEK).entries
    assert change.far_less_often == less


def herds(old: list[Entry], new: list[Entry]) -> SetChanges:
    return set_changes(old, new, NOON, NOON + timedelta(days=1))


def test_a_herd_counts_also_the_entries_that_do_not_change() -> None:
    here = [entry(f"here{n}", cron="0 0 * * *") for n in range(5)]
    old = [entry(f"e{n}", cron=f"{n + 1} 3 * * *") for n in range(30)]
    new = [entry(f"e{n}", cron="0 0 * * *") for n in range(30)]
    midnight = datetime(2027, 1, 5, tzinfo=UTC)
    assert herds(here + old, here + new).herds == (Herd(midnight, 5, 35),)
    assert herds(here + new, here + old).herds == ()


def test_a_herd_that_was_dense_before_or_is_small_is_none() -> None:
    many = [entry(f"here{n}", cron="0 0 * * *") for n in range(50)]
    new = [entry(f"e{n}", cron="0 0 * * *") for n in range(25)]
    assert herds(many, many + new).herds == ()
    assert herds([], new[:19]).herds == ()
    assert len(herds([], new[:20]).herds) == 1


def test_only_the_densest_seconds_are_counted() -> None:
    new = [entry(f"e{n}", every="1h") for n in range(20)]
    found = herds([], new)
    assert (len(found.herds), found.more_herds) == (10, 14)


def test_the_next_clock_changes_of_changed_entries() -> None:
    old = entry(cron="30 1 * * *", tz="Europe/Berlin")
    new = entry(cron="30 2 * * *", tz="Europe/Berlin")

    def effects(before: list[Entry], after: list[Entry]) -> list[str]:
        changes = set_changes(before, after, NOON, NOON + WEEK)
        return [night.effect for one in changes.entries for night in one.nights]

    assert effects([old], [new]) == ["moved"]
    assert effects([], [new]) == ["moved"]
    assert effects([new], [old]) == []
    # The same night with the same effect is no difference.
    assert effects([new], [entry(cron="45 2 * * *", tz="Europe/Berlin")]) == ["moved"]
    more = entry(cron="30 2 * * *", tz="Europe/Berlin", jitter="1m")
    assert effects([new], [more]) == []
    assert effects([], [entry(cron="30 2 * * *", tz="Europe/Berlin", end="2027-02-01")]) == []
