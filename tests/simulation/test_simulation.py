"""Scenarios under every fault at once, each decided by its seed alone.

`pytest tests/simulation/test_simulation.py --seed 17` plays one of them again.
"""

from collections import Counter
from typing import Any

from tests.simulation.failures import failure
from tests.simulation.numbered import rare_collections
from tests.simulation.scenario import play
from tests.simulation.sometimes import SOMETIMES, SOMETIMES_WITH_WORKERS

FIRST = 163  # so that a hundred lives have all of what seldom happens
SEEDS, SEEDS_WITH_WORKERS = 100, 30
SHRINK_S = 30.0


def lived(seeds: range, *, overlap: bool = False) -> Counter[str]:
    seen: Counter[str] = Counter()
    with rare_collections():
        for seed in seeds:
            try:
                seen += play(seed, overlap=overlap).seen
            except AssertionError as broken:
                rerun = f"pytest tests/simulation/test_simulation.py --seed {seed}"
                told = "\n".join(failure(seed, overlap=overlap, seconds=SHRINK_S))
                raise AssertionError(f"{broken}\nseed {seed}; again: {rerun}\n{told}") from broken
    return seen


def test_scenarios_under_every_fault_keep_every_promise(request: Any) -> None:
    seed = request.config.getoption("--seed", None)
    if seed is not None:
        lived(range(seed, seed + 1))
        return
    seen = lived(range(FIRST, FIRST + SEEDS))
    assert not SOMETIMES - set(seen), "never happened, so never tried"


def test_no_two_runs_of_one_entry_are_running_under_any_fault(request: Any) -> None:
    seed = request.config.getoption("--seed", None)
    if seed is not None:
        lived(range(seed, seed + 1), overlap=True)
        return
    seen = lived(range(SEEDS_WITH_WORKERS), overlap=True)
    assert not SOMETIMES_WITH_WORKERS - set(seen), "never happened, so never tried"


def test_the_same_seed_is_the_same_life() -> None:
    assert play(7).trace == play(7).trace
