"""The scenarios of a long run: each number is one, and every seventh has workers."""

import gc
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulation import branches
from tests.simulation.scenario import play

WITH_WORKERS_EACH = 7
SEEDS_KEPT = 8  # of each call


@dataclass
class Played:
    """What some scenarios have shown."""

    numbers: int = 0
    cpu_s: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    passed: Counter[tuple[str, bool]] = field(default_factory=Counter)
    seeds_of: dict[tuple[str, bool], list[int]] = field(default_factory=dict)  # that passed it
    branches: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)  # number -> what did not hold
    aimed: int = 0  # lives with one fault more, for calls that are rare
    broken_aimed: dict[tuple[int, str, str], str] = field(default_factory=dict)

    def add(self, other: "Played") -> None:
        self.numbers += other.numbers
        self.cpu_s += other.cpu_s
        self.seen += other.seen
        self.passed += other.passed
        self.branches.update(other.branches)
        for site, seeds in other.seeds_of.items():
            self.seeds_of[site] = sorted([*self.seeds_of.get(site, []), *seeds])[:SEEDS_KEPT]
        self.broken |= other.broken


def has_workers(number: int) -> bool:
    return number % WITH_WORKERS_EACH == WITH_WORKERS_EACH - 1


def play_all(numbers: range) -> Played:
    """Play the scenarios, whatever becomes of each."""
    played, began = Played(), time.process_time()
    for number in numbers:
        try:
            scenario = play(number, overlap=has_workers(number))
            played.seen += scenario.seen
            played.passed += scenario.passed
            for site in scenario.passed:
                played.seeds_of.setdefault(site, []).append(number)
        except Exception as broken:
            played.broken[number] = f"{type(broken).__name__}: {broken}"
        played.numbers += 1
    if not gc.isenabled():
        gc.collect()
    played.branches = branches.taken()
    played.cpu_s = time.process_time() - began
    return played


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect no garbage of scenarios: each of them leaves little.

    Nothing is collected before either. In a process that has loaded all tests, that would take
    longer than most scenarios.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def collect_rarely() -> None:
    gc.collect()
    gc.freeze()
    gc.disable()
