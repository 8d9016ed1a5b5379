"""Batches, and things that happen in the middle of them."""

import time
from collections.abc import Callable, Sequence

from beatd.publisher import Outcome
from beatd.run import Run
from tests.publishers.runs import entry, run


def batch(size: int, queue: str = "faults") -> list[Run]:
    task = entry(f"many-{queue}", "t.many", options={"queue": queue})
    return [run(task, nth=nth) for nth in range(size)]


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.sent for outcome in outcomes]


def at_ask(nth: int, do: Callable[[], object]) -> Callable[[], bool]:
    """Something that happens between two slices of a batch."""
    asked = iter(range(1, 10_000))

    def may_go_on() -> bool:
        if next(asked) == nth:
            do()
        return True

    return may_go_on


def took(what: Callable[[], object]) -> float:
    start = time.monotonic()
    what()
    return time.monotonic() - start
