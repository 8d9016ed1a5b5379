"""Which entries have a newest run that no worker has received, and from when on that is said."""

from datetime import UTC, datetime, timedelta

import pytest

from beatd.history import Record
from beatd.last_sent import RECORDS_READ, sent_after
from beatd.outcome import Delivery, EntryOutcome

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def seconds_ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def run(ago: float) -> Record:
    sent = seconds_ago(ago)
    return Record("x", sent, "published", task_id=f"run {ago}", published=sent)


def outcome_of(ago: float) -> EntryOutcome:
    at = seconds_ago(ago)
    newest = Delivery(
        task_id=f"run {ago}", delivery="d", name="x", planned=at, state="succeeded", at=at
    )
    return EntryOutcome(name="x", newest=newest)


@pytest.mark.parametrize(
    ("reported", "sent", "is_said"),
    [
        pytest.param(3600, (4, 3600), False, id="it may be on its way"),
        pytest.param(3600, (5, 3600), True, id="a worker had time to receive it"),
        pytest.param(3600, (4,), False, id="the record of the reported run was deleted"),
        pytest.param(2, (1, 2, 3, 4, 5), False, id="each second, a report a second later"),
        pytest.param(6, (1, 2, 3, 4, 5), True, id="each second, no report for six"),
        pytest.param(4, (0.1, 0.2, 0.3, 0.4, 0.5), False, id="ten a second"),
        pytest.param(7, (0.1, 0.2, 0.3, 0.4, 0.5), True, id="ten a second, no report for seven"),
        pytest.param(9, (9, 10, 11), False, id="the newest was reported"),
    ],
)
def test_the_newest_run_waits_once_one_was_on_its_way_for_too_long(
    reported: float, sent: tuple[float, ...], is_said: bool
) -> None:
    assert len(sent) <= RECORDS_READ
    found = sent_after(outcome_of(reported), [run(ago) for ago in sent], NOW)
    assert (found.published if found else None) == (seconds_ago(sent[0]) if is_said else None)


@pytest.mark.parametrize("state", ["claimed", "skipped"])
def test_a_run_that_a_worker_reported_before_it_was_recorded_is_the_newest(state: str) -> None:
    """Its daemon crashed between sending and recording it."""
    unrecorded = Record("x", seconds_ago(6), state, task_id="run 6")
    assert sent_after(outcome_of(6), [unrecorded, run(66), run(126)], NOW) is None
