"""The contract of Outcomes, kept by every store: deliveries, and the outcomes of entries."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Change
from beatd.outcome import Delivery, EntryOutcome, OutcomeState
from beatd.run import Run
from beatd.store import Store
from tests.stores.making import at, claimed, lead, past, put, put_many, row, run_of, told
from tests.stores.running_runs import delivery, second

Reopen = Callable[[], Store]


@pytest.fixture
def run(store: Store) -> Run:
    return claimed(store, put(store), lead(store))


def another(store: Store, planned: float) -> Run:
    """The run of another moment of the entry."""
    return run_of(store, row(store), at(planned))


def others(store: Store, count: int) -> list[Run]:
    """The runs of as many moments of the entry, from its first on."""
    stored = row(store)
    return [run_of(store, stored, at(10 * n)) for n in range(count)]


def only(store: Store) -> Delivery:
    (found,) = (known for of_run in store.outcomes(_all(store)).values() for known in of_run)
    return found


def _all(store: Store) -> list[str]:
    return [record.task_id for record in past(store)]


def of_entry(store: Store, name: str = "tidy") -> EntryOutcome:
    return store.entry_outcomes([name])[name]


# deliveries


def test_nothing_is_known_at_first(store: Store, run: Run) -> None:
    assert store.outcomes([run.task_id]) == {}
    assert store.entry_outcomes(None) == {} and store.entry_outcomes(["tidy"]) == {}
    assert list(store.live_deliveries(10)) == []
    assert list(store.write_outcomes([], at(1))) == []


def test_what_is_written_is_read_again(store: Store, reopen: Reopen, run: Run) -> None:
    full = Delivery(
        task_id=run.task_id,
        delivery="0f" * 16,
        name="tidy",
        planned=at(0),
        state="failed",
        at=at(9.000001),
        worker="celery@häuschen",
        received=at(2),
        started=at(3.5),
        finished=at(9),
        error="ValueError: 'ä' 🐝 \\ \"",
    )
    assert store.write_outcomes([full], at(10)) == ["written"]
    for handle in (store, reopen()):
        assert {task: list(all_) for task, all_ in handle.outcomes([run.task_id]).items()} == {
            run.task_id: [full]
        }
        assert of_entry(handle).newest == full
    assert full.runtime == 5.5


def test_what_a_report_does_not_know_stays_as_it_was(store: Store, run: Run) -> None:
    first = delivery(run, "received", 3, worker="one")
    store.write_outcomes([first], at(3))
    store.write_outcomes([delivery(run, "started", 4)], at(4))
    assert only(store) == replace(first, state="started", started=at(4), at=at(4))
    store.write_outcomes([delivery(run, "failed", 6, error="boom")], at(6))
    assert only(store) == replace(
        first, state="failed", started=at(4), finished=at(6), at=at(6), error="boom"
    )


def test_a_report_that_comes_late_sets_no_state_back(store: Store, run: Run) -> None:
    store.write_outcomes([delivery(run, "started", 4)], at(4))
    assert store.write_outcomes([delivery(run, "received", 3)], at(5)) == ["written"]
    found = only(store)
    assert (found.state, found.at, found.received, found.started) == (
        "started",
        at(4),
        at(3),
        at(4),
    )


@pytest.mark.parametrize("end", ["succeeded", "failed", "retried", "revoked", "expired"])
@pytest.mark.parametrize("state", ["started", "failed", "lost"])
def test_a_delivery_that_ended_stays_as_it_is(store: Store, run: Run, end: str, state: str) -> None:
    store.write_outcomes([delivery(run, end, 5)], at(5))
    before = only(store), of_entry(store)
    assert store.write_outcomes([delivery(run, state, 6)], at(6)) == ["late"]
    assert (only(store), of_entry(store)) == before


def test_a_lost_delivery_may_still_end(store: Store, run: Run) -> None:
    store.write_outcomes([delivery(run, "started", 3, worker="one")], at(3))
    store.write_outcomes([delivery(run, "lost", 40, error="silent")], at(40))
    assert store.write_outcomes([delivery(run, "lost", 41)], at(41)) == ["late"]
    assert store.write_outcomes([delivery(run, "started", 4)], at(42)) == ["late"]
    assert store.write_outcomes([delivery(run, "succeeded", 39)], at(43)) == ["written"]
    found = only(store)
    assert (found.state, found.error, found.worker) == ("succeeded", "", "one")
    assert (found.started, found.finished, found.at) == (at(3), at(39), at(39))
    assert store.write_outcomes([delivery(run, "failed", 44)], at(44)) == ["late"]


def test_writing_twice_changes_nothing(store: Store, run: Run) -> None:
    reports = [delivery(run, "succeeded", 5), delivery(another(store, 10), "started", 15)]
    assert store.write_outcomes(reports, at(15)) == ["written", "written"]
    before = of_entry(store), list(store.live_deliveries(10))
    assert store.write_outcomes(reports, at(16)) == ["late", "written"]
    assert (of_entry(store), list(store.live_deliveries(10))) == before


def test_reports_of_one_delivery_in_one_call_are_written_in_order(store: Store, run: Run) -> None:
    reports = [delivery(run, state, 3 + n) for n, state in enumerate(("received", "succeeded"))]
    assert store.write_outcomes([*reports, reports[0]], at(9)) == ["written", "written", "late"]
    assert (only(store).state, only(store).received) == ("succeeded", at(3))


def test_the_deliveries_of_a_run_come_oldest_first(store: Store, run: Run) -> None:
    first = delivery(run, "started", 3)
    later = second(first, started=at(8), at=at(8))
    store.write_outcomes([later], at(9))
    store.write_outcomes([first], at(9))
    assert list(store.outcomes([run.task_id])[run.task_id]) == [first, later]


def test_outcomes_are_read_by_run(store: Store, run: Run) -> None:
    other = another(store, 10)
    store.write_outcomes([delivery(run), delivery(other)], at(5))
    assert list(store.outcomes([other.task_id, "none"])) == [other.task_id]
    assert set(store.outcomes([run.task_id, other.task_id])) == {run.task_id, other.task_id}
    assert store.outcomes([]) == {}


def test_thousands_are_written_at_once(store: Store, run: Run) -> None:
    runs = others(store, 2500)
    reports = [delivery(one, "started", n) for n, one in enumerate(runs)]
    assert list(store.write_outcomes(reports, at(1))) == ["written"] * 2500
    ends = [delivery(one, "succeeded", n + 1) for n, one in enumerate(runs)]
    assert list(store.write_outcomes(ends, at(2))) == ["written"] * 2500
    assert of_entry(store).successes == 2500
    found = store.outcomes([one.task_id for one in runs])
    assert len(found) == 2500
    assert {known.state for of_run in found.values() for known in of_run} == {"succeeded"}


def test_two_threads_that_write_the_same_count_it_once(store: Store, reopen: Reopen) -> None:
    rows = put_many(store, [f"entry-{n:02}" for n in range(20)])
    ends = [delivery(run_of(store, stored), "failed", 5) for stored in rows]
    handles = [(store, ends), (reopen(), ends[::-1])]
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(lambda h: list(h[0].write_outcomes(h[1], at(6))), handles)
    pairs = zip(one, two[::-1], strict=True)
    assert {tuple(sorted(pair)) for pair in pairs} == {("late", "written")}
    assert {found.failures for found in store.entry_outcomes(None).values()} == {1}


# deliveries that have not ended


def test_live_deliveries_come_oldest_first(store: Store, run: Run) -> None:
    runs = others(store, 6)
    states = ["started", "received", "succeeded", "retried", "lost", "started"]
    reports = [
        delivery(one, state, 50 - n)
        for n, (one, state) in enumerate(zip(runs, states, strict=True))
    ]
    store.write_outcomes(reports, at(60))
    assert list(store.live_deliveries(10)) == [reports[5], reports[1], reports[0]]
    assert list(store.live_deliveries(2)) == [reports[5], reports[1]]


def test_a_delivery_that_ended_is_no_longer_live(store: Store, run: Run) -> None:
    store.write_outcomes([delivery(run, "started", 3)], at(3))
    assert [live.state for live in store.live_deliveries(10)] == ["started"]
    store.write_outcomes([delivery(run, "succeeded", 4)], at(4))
    assert list(store.live_deliveries(10)) == []


# the outcome of an entry


def test_failures_and_successes_in_a_row_are_counted(store: Store, run: Run) -> None:
    ends = ["failed", "revoked", "expired", "lost", "succeeded", "revoked", "succeeded", "failed"]
    counted = []
    for n, end in enumerate(ends):
        store.write_outcomes([delivery(another(store, 10 * n), end, 10 * n + 1)], at(10 * n + 2))
        found = of_entry(store)
        counted.append((found.failures, found.successes))
    # A revoked run was ended on purpose, and is neither.
    assert counted == [(1, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 1), (0, 2), (1, 0)]
    assert found.newest.planned == at(70)
    assert (found.last_success, found.first) == (at(61), at(2))


def test_ends_in_one_call_are_counted_in_order(store: Store, run: Run) -> None:
    ends = ["failed", "succeeded", "failed", "failed"]
    reports = [delivery(another(store, 10 * n), end, 10 * n) for n, end in enumerate(ends)]
    store.write_outcomes(reports, at(40))
    found = of_entry(store)
    assert (found.failures, found.successes, found.last_success) == (2, 0, at(10))
    assert (found.newest, found.first) == (reports[-1], at(40))


@pytest.mark.parametrize("state", ["received", "started", "retried"])
def test_what_is_no_end_is_not_counted(store: Store, run: Run, state: str) -> None:
    store.write_outcomes([delivery(run, "failed", 1)], at(1))
    store.write_outcomes([delivery(another(store, 10), state, 12)], at(12))
    found = of_entry(store)
    assert (found.failures, found.successes, found.newest.state) == (1, 0, state)


def test_a_lost_delivery_that_failed_is_one_failure(store: Store, run: Run) -> None:
    store.write_outcomes([delivery(run, "lost", 40)], at(40))
    store.write_outcomes([delivery(run, "failed", 39)], at(41))
    found = of_entry(store)
    assert (found.failures, found.newest.state) == (1, "failed")


def test_a_lost_delivery_that_succeeded_is_no_failure(store: Store, run: Run) -> None:
    store.write_outcomes([delivery(run, "lost", 40)], at(40))
    store.write_outcomes([delivery(run, "succeeded", 39)], at(41))
    found = of_entry(store)
    assert (found.failures, found.successes, found.newest.state) == (0, 1, "succeeded")


def test_a_lost_delivery_is_no_failure_if_a_newer_one_has_the_run(store: Store, run: Run) -> None:
    first = delivery(run, "started", 3)
    newer = second(first, state="succeeded", started=at(5), finished=at(8), at=at(8))
    store.write_outcomes([first, newer], at(8))
    store.write_outcomes([replace(first, state="lost", at=at(34))], at(34))
    found = of_entry(store)
    assert (found.failures, found.successes, found.newest) == (0, 1, newer)


def test_an_older_report_of_another_run_is_not_the_newest(store: Store, run: Run) -> None:
    newest = delivery(another(store, 10), "started", 12)
    store.write_outcomes([newest], at(12))
    store.write_outcomes([delivery(run, "succeeded", 8)], at(13))
    found = of_entry(store)
    assert (found.newest, found.successes, found.last_success) == (newest, 1, at(8))


def test_a_later_run_is_the_newest_though_the_clock_of_its_worker_is_behind(
    store: Store, run: Run
) -> None:
    store.write_outcomes([delivery(run, "succeeded", 3600)], at(4))
    planned = run.occurrence.planned + timedelta(minutes=1)
    later = replace(delivery(run, "failed", 60), task_id="later", planned=planned)
    store.write_outcomes([later], at(64))
    (outcome,) = store.entry_outcomes(None).values()
    assert outcome.newest.state == "failed" and outcome.failures == 1


def test_a_failure_after_a_retry_counts_though_the_clock_of_its_worker_is_behind(
    store: Store, run: Run
) -> None:
    first = delivery(run, "retried", 3600, received=at(3590))
    last = second(delivery(run, "failed", 30, received=at(20)))
    store.write_outcomes([first, last], at(40))
    outcome = of_entry(store)
    assert outcome.newest.state == "failed" and outcome.failures == 1


def test_outcomes_of_entries_are_read_by_name(store: Store) -> None:
    for stored in put_many(store, ["a", "A", "ä", "b"]):
        store.write_outcomes([delivery(run_of(store, stored), "started")], at(5))
    assert set(store.entry_outcomes(None)) == {"a", "A", "ä", "b"}
    assert set(store.entry_outcomes(["A", "ä", "none"])) == {"A", "ä"}
    assert store.entry_outcomes([]) == {}


def test_outcomes_of_entries_are_read_by_the_state_of_their_newest_delivery(store: Store) -> None:
    states: list[OutcomeState] = ["failed", "succeeded", "lost", "started"]
    for stored, state in zip(put_many(store, ["a", "b", "c", "d"]), states, strict=True):
        run, error = run_of(store, stored), 'ValueError: "state":"failed", "lost"'
        store.write_outcomes([delivery(run, state, error=error)], at(5))
    assert set(store.entry_outcomes_in({"failed", "lost"})) == {"a", "c"}
    assert set(store.entry_outcomes_in({"succeeded", "lost"})) == {"b", "c"}
    assert store.entry_outcomes_in({"started"}) == store.entry_outcomes(["d"])
    assert store.entry_outcomes_in({"expired"}) == store.entry_outcomes_in(()) == {}


def test_an_edited_entry_keeps_its_outcome(store: Store, run: Run) -> None:
    store.write_outcomes([delivery(run, "failed")], at(5))
    before, stored = of_entry(store), row(store)
    made = replace(stored.entry, args=(1,))
    assert store.write([Change("tidy", stored.revision, made)]) == [True]
    assert of_entry(store) == before


def test_a_removed_entry_has_no_outcome_but_its_deliveries_stay(store: Store, run: Run) -> None:
    ended, live = delivery(run, "failed"), delivery(another(store, 10), "started")
    store.write_outcomes([ended, live], at(5))
    assert store.write([Change("tidy", row(store).revision, None)]) == [True]
    assert store.entry_outcomes(None) == {}
    assert list(store.outcomes([run.task_id])[run.task_id]) == [ended]
    assert list(store.live_deliveries(10)) == [live]


def test_a_report_about_a_removed_entry_is_kept_without_an_outcome(store: Store, run: Run) -> None:
    store.write([Change("tidy", row(store).revision, None)])
    assert store.write_outcomes([delivery(run, "failed")], at(5)) == ["written"]
    assert store.entry_outcomes(None) == {}
    assert list(store.outcomes([run.task_id])) == [run.task_id]
    put(store)
    assert store.entry_outcomes(None) == {}


# deletion


def fill(store: Store, count: int) -> list[Run]:
    """One delivery for each second from 1 on; every third has not ended."""
    runs = others(store, count)
    store.write_outcomes(
        [delivery(one, "succeeded" if n % 3 else "started", n + 1) for n, one in enumerate(runs)],
        at(count),
    )
    return runs


def kept(store: Store, runs: list[Run]) -> list[int]:
    found = store.outcomes([one.task_id for one in runs])
    return [n + 1 for n, one in enumerate(runs) if one.task_id in found]


def test_old_deliveries_are_forgotten_live_ones_too(store: Store, run: Run) -> None:
    runs = fill(store, 6)
    store.forget(at(5), 1000)
    assert kept(store, runs) == [5, 6]
    assert list(store.live_deliveries(10)) == []


def test_all_but_the_newest_deliveries_are_forgotten(store: Store, run: Run) -> None:
    runs = fill(store, 6)
    store.forget(at(-100), 2)
    assert kept(store, runs) == [5, 6]
    store.forget(at(-100), 0)
    assert kept(store, runs) == []


def test_the_outcome_of_an_entry_is_not_forgotten(store: Store, run: Run) -> None:
    fill(store, 3)
    before = of_entry(store)
    store.forget(at(1000), 0)
    assert of_entry(store) == before
    store.write_outcomes([delivery(another(store, 1000), "failed", 1001)], at(1001))
    assert of_entry(store).failures == 1


def test_deliveries_do_not_count_as_forgotten_records(store: Store, run: Run) -> None:
    store.record([told(run, when=2)])
    fill(store, 6)
    assert store.forget(at(1000), 1000) == 1


def test_thousands_of_deliveries_are_forgotten_at_once(store: Store, run: Run) -> None:
    runs = fill(store, 2500)
    store.forget(at(9999), 10_000)
    assert kept(store, runs) == []


# without the start or the end


def test_a_runtime_is_known_of_a_run_that_started_and_finished(run: Run) -> None:
    both = delivery(run, "succeeded", 9, started=at(4))
    assert both.runtime == timedelta(seconds=5).total_seconds()
    assert delivery(run, "succeeded", 9).runtime is None
