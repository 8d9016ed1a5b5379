"""How many lives each planted bug takes to be seen, from random first seeds.

    .venv/bin/python -m tests.simulation.planted [--repeat 5] [--most 2000] [--jobs 2]

Prints the median for each bug, and ends with 1 if one was not seen in half of the tries.
"""

import argparse
import logging
import multiprocessing
import os
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from functools import partial

from tests.simulation.bias import NONE
from tests.simulation.numbered import rare_collections
from tests.simulation.planted_bugs import PLANTED, planted
from tests.simulation.planted_needs import NEEDS
from tests.simulation.scenario import play
from tests.simulation.world import Violation

# ruff: noqa: T201
MOST_SEEDS = 2000
FIRST_MAX = 10**6


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("bugs", nargs="*", metavar="BUG", help="default: all")
    parser.add_argument("--repeat", type=int, default=5, help="tries for each bug; default: 5")
    parser.add_argument("--most", type=int, default=MOST_SEEDS, help="lives of one try")
    parser.add_argument("--seed", type=int, default=0, help="decides the first seeds; default: 0")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args(words)
    bugs = args.bugs or list(PLANTED)
    if unknown := set(bugs) - set(PLANTED):
        parser.error(f"no such bug: {', '.join(sorted(unknown))}")
    is_missed = False
    print(f"{'lives until seen: median':>25}{'least':>8}{'most':>8}  bug")
    for bug, counts in counted(bugs, args):
        median = statistics.median(counts)
        is_missed |= median > args.most
        shown = [f"> {args.most}" if n > args.most else f"{n:g}" for n in (median, *ends(counts))]
        print(f"{shown[0]:>25}{shown[1]:>8}{shown[2]:>8}  {bug}", flush=True)
    return int(is_missed)


def ends(counts: Sequence[int]) -> tuple[int, int]:
    return min(counts), max(counts)


def counted(bugs: Sequence[str], args: argparse.Namespace) -> Iterator[tuple[str, list[int]]]:
    dice = random.Random(args.seed)
    tries = {bug: [dice.randrange(FIRST_MAX) for _ in range(args.repeat)] for bug in bugs}
    if args.jobs == 1:
        for bug in bugs:
            yield bug, [lives_until_seen(bug, args.most, first) for first in tries[bug]]
        return
    with multiprocessing.get_context("fork").Pool(args.jobs) as pool:
        for bug in bugs:
            yield bug, pool.map(partial(lives_until_seen, bug, args.most), tries[bug], chunksize=1)


def lives_until_seen(bug: str, most: int, first: int) -> int:
    """Return how many lives it takes, or `most` + 1 if that many did not show the bug."""
    with rare_collections():
        for n in range(most):
            try:
                with planted(bug):
                    play(first + n, bias=NEEDS.get(bug, NONE))
            except Violation:
                return n + 1
    return most + 1


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(main())
