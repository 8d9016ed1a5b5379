"""The rules of when, against an oracle that lists every moment."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from beatd import planning
from beatd.catalog import Plan, Stored
from beatd.catch_up import settle
from beatd.definition import entry_from
from beatd.entry import Entry, Schedule
from beatd.planning import (
    LAST_MOMENT,
    MAX_COUNTED_MOMENTS,
    Settlement,
    due_at,
    fingerprint,
    first,
    is_once,
    late_reason,
    missed_when_new,
    moment_before,
    newest_due,
    next_moment,
    passed_over,
    shared_next_after,
    stretch,
)
from beatd.run import Skip
from beatd.schedules import crontab, interval
from beatd.schedules.duration import parse_duration

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Listed:
    """Fires at just these moments, which may lie as unevenly as they like."""

    moments: tuple[datetime, ...]

    period = None

    def next_after(self, moment: datetime) -> datetime | None:
        place = bisect_right(self.moments, moment)
        return self.moments[place] if place < len(self.moments) else None

    def plain(self) -> dict[str, Any]:
        return {"listed": [moment.isoformat() for moment in self.moments]}


def entry(schedule: Any, **fields: Any) -> Entry:
    return Entry(name=fields.pop("name", "tidy"), task="proj.tidy", schedule=schedule, **fields)


def stored(made: Entry, planned: datetime, runs: int = 0) -> Stored:
    plan = Plan(planned, due_at(made, planned), fingerprint(made), planning.RULES)
    return Stored(made, 1, False, plan, runs, None)


def ask(schedule: Any, moment: datetime) -> datetime | None:
    found: datetime | None = schedule.next_after(moment)
    return found


seconds = st.one_of(st.integers(0, 100), st.integers(0, 100_000), st.floats(0, 50).map(float))
lists = st.lists(seconds, min_size=1, max_size=40).map(
    lambda found: tuple(sorted({at(round(s, 6)) for s in found}))
)
spans = st.one_of(st.none(), st.integers(0, 5000).map(lambda s: timedelta(seconds=s)))


@st.composite
def late_rows(draw: Any) -> tuple[Stored, datetime]:
    """An entry, planned at one of its moments, and a now at which that is due."""
    moments = draw(lists)
    made = entry(
        Listed(moments),
        jitter=draw(st.sampled_from([timedelta(0), timedelta(seconds=5), timedelta(seconds=900)])),
        catch_up=draw(st.sampled_from(["latest", "all", "skip"])),
        catch_up_window=draw(spans),
        catch_up_max=draw(st.one_of(st.none(), st.integers(1, 10))),
        grace=timedelta(seconds=draw(st.integers(0, 100))),
        start=draw(st.one_of(st.none(), st.just(moments[len(moments) // 3]))),
        end=draw(st.one_of(st.none(), st.just(moments[-1 - len(moments) // 4]))),
        max_runs=draw(st.one_of(st.none(), st.integers(1, 3))),
        name=draw(st.sampled_from(["a", "b", "c"])),
    )
    live = all_moments(made)
    if not live:
        made = replace(made, start=None, end=None)
        live = all_moments(made)
    oldest = draw(st.sampled_from(live))
    late = timedelta(seconds=draw(st.one_of(st.integers(0, 20), st.integers(0, 100_000))))
    return stored(made, oldest, draw(st.integers(0, 3))), due_at(made, oldest) + late


def all_moments(made: Entry) -> list[datetime]:
    return [
        moment
        for moment in made.schedule.moments  # type: ignore[attr-defined]
        if (made.start is None or moment >= made.start) and (made.end is None or moment <= made.end)
    ]


class Oracle:
    """Every moment that is due, one by one."""

    def __init__(self, row: Stored, now: datetime) -> None:
        self.row, self.now, self.entry = row, now, row.entry
        moments = [m for m in all_moments(row.entry) if m >= row.plan.planned]  # type: ignore[operator]
        self.due = [m for m in moments if due_at(row.entry, m) <= now]
        self.ahead = [m for m in moments if due_at(row.entry, m) > now]

    def within(self, first: datetime, last: datetime) -> list[datetime]:
        return [moment for moment in self.due if first <= moment <= last]


@settings(max_examples=200, deadline=None)
@given(late_rows())
def test_every_due_moment_ends_in_just_one_way(case: tuple[Stored, datetime]) -> None:
    row, now = case
    oracle, settled = Oracle(row, now), settle(row, now)
    ended = [] if settled.publish is None else [settled.publish]
    for skip in settled.skips:
        passed = oracle.within(skip.planned, skip.until)
        assert (passed[0], passed[-1], len(passed)) == (skip.planned, skip.until, skip.count)
        assert not skip.at_least
        assert skip.reason
        ended += passed
    if settled.backlog:
        owed = oracle.within(*settled.backlog)
        assert (owed[0], owed[-1]) == settled.backlog
        ended += owed
    assert sorted(ended) == oracle.due


@settings(max_examples=200, deadline=None)
@given(late_rows())
def test_the_plan_moves_to_the_first_moment_that_is_not_due(case: tuple[Stored, datetime]) -> None:
    row, now = case
    oracle, settled = Oracle(row, now), settle(row, now)
    runs = row.runs + (settled.publish is not None)
    over = row.entry.max_runs is not None and runs >= row.entry.max_runs and not settled.backlog
    following = oracle.ahead[0] if oracle.ahead else None
    if over and row.entry.catch_up != "all":
        assert settled.plan.planned is None
    elif not over:
        assert settled.plan.planned == following
    assert (settled.plan.planned is None) == (settled.plan.due is None)
    assert settled.plan.due is None or settled.plan.due > now
    assert settled.plan.fingerprint == row.plan.fingerprint


@settings(max_examples=200, deadline=None)
@given(late_rows())
def test_the_catch_up_rule_decides_what_is_published(case: tuple[Stored, datetime]) -> None:
    row, now = case
    made, oracle, settled = row.entry, Oracle(row, now), settle(row, now)
    newest = oracle.due[-1]
    late = now - due_at(made, newest)
    over = made.max_runs is not None and row.runs >= made.max_runs
    too_old = made.catch_up_window is not None and late > made.catch_up_window
    if made.catch_up == "all" and len(oracle.due) > 1:
        wanted = oracle.due
        if made.catch_up_window is not None:
            wanted = [m for m in wanted if m >= now - made.catch_up_window]
        if made.catch_up_max is not None:
            wanted = wanted[-made.catch_up_max :]
        assert settled.publish is None
        assert settled.backlog == ((wanted[0], wanted[-1]) if wanted else None)
    else:
        past_grace = made.catch_up == "skip" and late > made.grace
        expected = None if over or too_old or past_grace else newest
        assert settled.publish == expected
        assert settled.backlog is None


@settings(max_examples=100, deadline=None)
@given(late_rows())
def test_settling_again_with_shared_questions_says_the_same(case: tuple[Stored, datetime]) -> None:
    row, now = case
    shared = shared_next_after(limit=3)
    assert settle(row, now, shared) == settle(row, now, shared) == settle(row, now)


@settings(max_examples=100, deadline=None)
@given(late_rows())
def test_the_newest_due_and_the_one_before_it_are_found(case: tuple[Stored, datetime]) -> None:
    row, now = case
    oracle = Oracle(row, now)
    oldest, newest = oracle.due[0], oracle.due[-1]
    assert newest_due(row.entry, oldest, now, ask) == newest
    if len(oracle.due) > 1:
        assert moment_before(row.entry, oldest, newest, ask) == oracle.due[-2]


@settings(max_examples=100, deadline=None)
@given(lists, st.integers(0, 3000), st.text(max_size=5))
def test_jitter_is_stable_and_never_passes_the_next_moment(
    moments: tuple[datetime, ...], most: int, name: str
) -> None:
    made = entry(Listed(moments), jitter=timedelta(seconds=most), name=name)
    dues = [due_at(made, moment) for moment in moments]
    assert dues == [due_at(made, moment) for moment in moments]
    assert dues == sorted(set(dues))
    for moment, due, following in zip(moments, dues, [*moments[1:], None], strict=True):
        assert moment <= due <= moment + made.jitter
        assert following is None or due < following


@settings(max_examples=100, deadline=None)
@given(late_rows(), st.integers(-1000, 1000))
def test_a_first_plan_is_never_past_and_never_ran(case: tuple[Stored, datetime], ran: int) -> None:
    row, now = case
    last = now + timedelta(seconds=ran)
    plan = first(row.entry, now, runs=row.runs, last=last)
    over = row.entry.max_runs is not None and row.runs >= row.entry.max_runs
    ahead = [] if over else [m for m in all_moments(row.entry) if m > max(now, last)]
    assert plan.planned == (ahead[0] if ahead else None)


# in so many words


def every_ten(**fields: Any) -> Entry:
    return entry(interval("10s"), **fields)


def settled(made: Entry, oldest: float, now: float, runs: int = 0) -> Settlement:
    return settle(stored(made, at(oldest), runs), at(now))


def test_one_moment_on_time_is_published_and_the_next_planned() -> None:
    done = settled(every_ten(), 0, 0.01)
    assert (done.publish, done.plan.planned, done.skips, done.backlog) == (at(0), at(10), (), None)


def test_latest_publishes_the_newest_and_tells_of_the_others() -> None:
    done = settled(every_ten(), 0, 35)
    assert (done.publish, done.plan.planned) == (at(30), at(40))
    assert [(s.planned, s.until, s.count, s.reason) for s in done.skips] == [
        (at(0), at(20), 3, "missed; only the latest was run")
    ]


def test_skip_publishes_only_within_its_grace() -> None:
    made = entry(interval("1h"), catch_up="skip", grace=timedelta(seconds=10))
    assert settled(made, 0, 10).publish == at(0)
    late = settled(made, 0, 10.000001)
    assert late.publish is None
    assert late.plan.planned == at(3600)
    assert "grace is 10 s" in late.skips[0].reason


def test_all_owes_what_was_missed_and_moves_past_now_at_once() -> None:
    done = settled(every_ten(catch_up="all", catch_up_max=100), 0, 35)
    assert (done.publish, done.backlog, done.plan.planned) == (None, (at(0), at(30)), at(40))


def test_all_keeps_the_newest_of_its_maximum() -> None:
    done = settled(every_ten(catch_up="all", catch_up_max=2), 0, 35)
    assert done.backlog == (at(20), at(30))
    assert [(s.planned, s.until, s.count, s.reason) for s in done.skips] == [
        (at(0), at(10), 2, "too old")
    ]


def test_all_owes_nothing_that_lies_before_its_window() -> None:
    made = entry(Listed((at(0), at(10))), catch_up="all", catch_up_window=timedelta(seconds=5))
    done = settled(made, 0, 100)
    assert (done.publish, done.backlog, done.plan.planned) == (None, None, None)
    assert [(s.planned, s.until, s.count) for s in done.skips] == [(at(0), at(10), 2)]


def test_all_owes_nothing_that_lies_before_its_window_however_many_it_would_keep() -> None:
    made = every_ten(catch_up="all", catch_up_max=1, catch_up_window=timedelta(seconds=5))
    done = settled(made, 0, 18)
    assert (done.publish, done.backlog, done.plan.planned) == (None, None, at(20))
    assert [(s.planned, s.until, s.count) for s in done.skips] == [(at(0), at(10), 2)]


def test_the_last_run_ends_the_plan() -> None:
    done = settled(every_ten(max_runs=3), 0, 0, runs=2)
    assert (done.publish, done.plan.planned) == (at(0), None)


def test_an_entry_whose_runs_are_used_up_is_not_published_again() -> None:
    done = settled(every_ten(max_runs=3), 0, 0, runs=3)
    assert (done.publish, done.plan.planned) == (None, None)
    assert [skip.reason for skip in done.skips] == ["max_runs reached"]


def test_a_skipped_moment_uses_up_no_run() -> None:
    made = entry(interval("1h"), max_runs=1, catch_up="skip", grace=timedelta(seconds=1))
    done = settled(made, 0, 60)
    assert (done.publish, done.plan.planned) == (None, at(3600))


def test_start_and_end_are_both_included() -> None:
    made = every_ten(start=at(20), end=at(40))
    assert next_moment(made, at(-100)) == at(20)
    assert next_moment(made, at(20)) == at(30)
    assert next_moment(made, at(30)) == at(40)
    assert next_moment(made, at(40)) is None


@pytest.mark.parametrize("fields", [{"enabled": False}, {"max_runs": 2}])
def test_what_is_disabled_or_used_up_has_nothing_ahead(fields: dict[str, Any]) -> None:
    plan = first(every_ten(**fields), NOON, runs=2)
    assert plan.due is None
    assert first(every_ten(), NOON, paused=True).due is None


def test_a_moment_that_ran_is_not_planned_again_after_the_clock_was_set_back() -> None:
    assert first(every_ten(), at(-60), last=at(0)).planned == at(10)
    assert first(every_ten(), at(5), last=at(0)).planned == at(10)


def test_only_what_decides_when_changes_the_fingerprint() -> None:
    plain = {"task": "proj.tidy", "cron": "0 2 * * *"}
    mark = fingerprint(entry_from("tidy", plain))
    for same in ({"args": [1]}, {"options": {"queue": "x"}}, {"max_runs": 5}, {"grace": "1m"}):
        assert fingerprint(entry_from("tidy", {**plain, **same})) == mark
    for other in (
        {"cron": "0 3 * * *"},
        {"tz": "Europe/Berlin"},
        {"start": "2026-01-01T00:00:00Z"},
        {"end": "2030-01-01T00:00:00Z"},
        {"jitter": "5s"},
        {"dst_gap": "skip"},
        {"dst_fold": "last"},
    ):
        assert fingerprint(entry_from("tidy", {**plain, **other})) != mark


def test_a_stretch_of_a_grid_is_counted_without_walking_it() -> None:
    skip = stretch(every_ten(), at(0), at(10) + timedelta(days=3650), "missed")
    assert (skip.count, skip.at_least) == (3650 * 8640 + 2, False)


def test_a_longer_stretch_of_a_cron_is_counted_to_ten_thousand() -> None:
    made = entry(crontab("* * * * *"))
    exact = at(60 * (MAX_COUNTED_MOMENTS - 1))
    assert stretch(made, at(0), exact, "x").count == MAX_COUNTED_MOMENTS
    assert not stretch(made, at(0), exact, "x").at_least
    longer = stretch(made, at(0), exact + timedelta(days=30), "x")
    assert (longer.count, longer.at_least) == (MAX_COUNTED_MOMENTS, True)


def test_a_herd_that_missed_the_same_moments_counts_them_once() -> None:
    asked: list[datetime] = []

    @dataclass(frozen=True)
    class Counting(Listed):
        def next_after(self, moment: datetime) -> datetime | None:
            asked.append(moment)
            return super().next_after(moment)

    herd = [entry(Counting(tuple(map(at, range(500)))), name=f"entry-{n}") for n in range(20)]
    skips = {stretch(made, at(0), at(499), "missed") for made in herd}
    assert [skip.count for skip in skips] == [500]
    assert len(asked) == 499


def test_a_year_of_missed_minutes_is_settled_by_few_questions() -> None:
    asked = 0

    def counting(schedule: Any, moment: datetime) -> datetime | None:
        nonlocal asked
        asked += 1
        return ask(schedule, moment)

    made = every_ten(jitter=timedelta(seconds=3))
    row = stored(made, at(0))
    done = settle(row, at(365 * 86400 + 5), counting)
    assert done.publish == at(365 * 86400)
    assert asked < 60


def test_shared_questions_are_asked_once_and_memory_is_bounded() -> None:
    asked: list[datetime] = []

    @dataclass(frozen=True)
    class Counting(Listed):
        def next_after(self, moment: datetime) -> datetime | None:
            asked.append(moment)
            return super().next_after(moment)

    shared = shared_next_after(limit=2)
    schedule = Counting((at(0),))
    for moment in (1, 1, 2, 1, 3, 1):
        assert shared(schedule, at(-moment)) == at(0)
    assert len(asked) == 4


def test_a_window_longer_than_the_calendar_is_no_window() -> None:
    always = timedelta(days=999_999)
    row = stored(entry(interval("10s"), catch_up="all", catch_up_window=always), at(0))
    assert settle(row, at(65)).backlog == (at(0), at(60))


def test_jitter_ends_with_the_calendar() -> None:
    last = LAST_MOMENT.replace(microsecond=0)
    made = entry(Listed((last,)), jitter=timedelta(days=1))
    assert last < due_at(made, last) <= LAST_MOMENT


@pytest.mark.parametrize("jitter", ["0s", "1ms"])
def test_the_newest_of_many_small_periods_is_found_in_a_few_steps(jitter: str) -> None:
    asked = 0

    def next_after(schedule: Schedule, moment: datetime) -> datetime | None:
        nonlocal asked
        asked += 1
        return schedule.next_after(moment)

    made = entry(interval("1ms"), jitter=parse_duration(jitter))
    newest = newest_due(made, at(0), at(3600), next_after)
    assert at(3600) - newest <= timedelta(milliseconds=1) and asked < 20


def test_daemons_of_all_versions_compute_the_same_fingerprint_and_jitter() -> None:
    """Another fingerprint would plan all entries anew, another jitter move what is planned."""
    made = entry_from("tidy", {"task": "proj.tidy", "cron": "0 2 * * *", "jitter": "1h"})
    assert fingerprint(made) == "3794a2d562209a8a"
    assert due_at(made, NOON).isoformat() == "2026-03-01T12:16:20.457648+00:00"


def test_a_jitter_longer_than_the_period_ends_just_before_the_next_moment() -> None:
    assert due_at(every_ten(jitter=timedelta(hours=1)), at(0)) == at(10) - MICROSECOND


def test_after_the_last_moment_an_entry_with_an_end_has_none() -> None:
    made = entry(Listed((at(0),)), end=at(100))
    assert next_moment(made, at(0)) is None


def test_an_entry_without_any_moment_does_not_run_once() -> None:
    once = entry_from("tidy", {"task": "proj.tidy", "at": at(10).isoformat()})
    assert is_once(once)
    assert not is_once(replace(once, end=at(0)))


def test_a_missed_one_off_is_one_skipped_run() -> None:
    made = entry(Listed((at(0),)))
    assert missed_when_new(made, first(made, at(1))) == Skip(at(0), at(0), 1, "past when added")


@pytest.mark.parametrize(
    ("now", "skip"),
    [(9.9, None), (10, (10, 10, 1)), (25, (10, 20, 2)), (35, (10, 30, 3)), (65, (10, 40, 4))],
)
def test_what_a_pause_passes_over_ends_now_or_with_the_entry(
    now: float, skip: tuple[float, float, int] | None
) -> None:
    row = replace(stored(every_ten(end=at(45)), at(10)), paused=True)
    found = passed_over(row, at(now))
    assert found == (skip and Skip(at(skip[0]), at(skip[1]), skip[2], "paused"))


def test_a_run_is_too_old_only_after_its_window() -> None:
    made = every_ten(catch_up_window=timedelta(seconds=30))
    assert late_reason(made, at(0), at(30)) == ""
    assert late_reason(made, at(0), at(30) + MICROSECOND) == "too old"


def test_the_newest_run_may_be_due_just_now() -> None:
    made = entry(interval("1s"))
    assert newest_due(made, at(0), at(1), ask) == at(1)
    assert newest_due(made, at(0), at(1) - MICROSECOND, ask) == at(0)


def test_all_owes_a_moment_that_is_as_old_as_its_window() -> None:
    made = every_ten(catch_up="all", catch_up_window=timedelta(seconds=20))
    assert settled(made, 0, 20).backlog == (at(0), at(20))
    assert settled(made, 0, 20.001).backlog == (at(10), at(20))
    assert settled(made, 0, 30).backlog == (at(10), at(30))


def test_all_owes_the_newest_moment_if_it_alone_lies_in_the_window() -> None:
    done = settled(every_ten(catch_up="all", catch_up_window=timedelta(seconds=5)), 0, 22)
    assert done.backlog == (at(20), at(20))
    assert [(skip.planned, skip.until, skip.count) for skip in done.skips] == [(at(0), at(10), 2)]
