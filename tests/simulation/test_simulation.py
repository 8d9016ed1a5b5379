"""Scenarios under every fault at once, each decided by its seed alone.

`pytest tests/simulation/test_simulation.py --seed 17` plays one of them again.
"""

from collections import Counter
from typing import Any

import pytest

from tests.simulation.scenario import play

#: The first seed: SHORT scenarios from it on try each fault.
FIRST = 14
SHORT, LONG, APIECE = 70, 2000, 100
SHORT_WITH_WORKERS, LONG_WITH_WORKERS = 10, 500

# What must have happened somewhere, or nothing was tried.
SOMETIMES = {
    "crash after store.claim",
    "crash before publish",
    "crash after publish",
    "crash before store.record",
    "freeze before publish",
    "lost after store.claim",
    "lost after store.record",
    "lost after publish",
    "lost after lease.take",
    "error before store.claim",
    "slow after lease.take",
    "a fault between claim and record",
    "a claim settled by another than made it",
    "a double under the same id",
    "a leader was deposed",
    "a backlog was worked off",
    "skipped for being unknown",
    "two batches overlapped",
    "Refused",
    "BrokerAway",
    "StoreAway",
    "ClockStepped",
    "Overdue",
    "nature: wipe",
    "nature: full",
    "nature: clock",
    "nature: fail-over",
    "operator: remove",
    "operator: trigger",
    "crash before store.step",
    "crash after store.step",
    "freeze before store.step",
    "a step was tried again",
    "a moment was backfilled",
    "files were edited while nobody led",
    "an entry was paused for a while",
    "a pause ended",
    "a pause ended in the calm, and its entry ran",
    "what is declared was claimed",
}

SOMETIMES_WITH_WORKERS = {
    "a moment waited for the end of a run",
    "a run was revoked",
    "a run was lost",
    "a run was silent for max_run",
    "a worker died with a run",
    "a report was lost",
    "error before reports.read",
    "one run was executed twice at once",
}


def lived(seeds: range, *, overlap: bool = False) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in seeds:
        try:
            seen += play(seed, overlap=overlap).seen
        except AssertionError as broken:
            rerun = f"pytest tests/simulation/test_simulation.py --seed {seed}"
            raise AssertionError(f"{broken}\nseed {seed}; again: {rerun}") from broken
    return seen


def test_scenarios_under_every_fault_keep_every_promise(request: Any) -> None:
    seed = request.config.getoption("--seed", None)
    if seed is not None:
        lived(range(seed, seed + 1))
        return
    seen = lived(range(FIRST, FIRST + SHORT))
    assert not SOMETIMES - set(seen), "never happened, so never tried"


def test_no_two_runs_of_one_entry_are_running_under_any_fault(request: Any) -> None:
    seed = request.config.getoption("--seed", None)
    if seed is not None:
        lived(range(seed, seed + 1), overlap=True)
        return
    seen = lived(range(SHORT_WITH_WORKERS), overlap=True)
    assert not SOMETIMES_WITH_WORKERS - set(seen), "never happened, so never tried"


@pytest.mark.long
@pytest.mark.parametrize("first", range(FIRST + SHORT, LONG, APIECE))
def test_many_more_scenarios_keep_every_promise(first: int) -> None:
    lived(range(first, min(first + APIECE, LONG)))


@pytest.mark.long
@pytest.mark.parametrize("first", range(SHORT_WITH_WORKERS, LONG_WITH_WORKERS, APIECE))
def test_many_more_scenarios_let_no_two_runs_of_one_entry_run(first: int) -> None:
    lived(range(first, min(first + APIECE, LONG_WITH_WORKERS)), overlap=True)


def test_the_same_seed_is_the_same_life() -> None:
    assert play(7).trace == play(7).trace
