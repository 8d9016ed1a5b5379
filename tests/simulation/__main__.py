"""Many scenarios of the simulator, on all cores.

    .venv/bin/python -m tests.simulation [--seeds 20000] [--from 0] [--jobs 2]

Prints how far it is, and each seed that breaks a promise; it ends with 1 if there are any, and
with 130 if it was stopped. With --trace it plays one seed and prints what happens in it.
"""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from tests.simulation import numbered
from tests.simulation.numbered import Played
from tests.simulation.scenario import play
from tests.simulation.sometimes import SOMETIMES, SOMETIMES_WITH_WORKERS

# ruff: noqa: T201
CHUNK = 20
ENOUGH = 1000  # scenarios, in which all of SOMETIMES must have happened
PRINTED_EVERY_S = 10.0
FAILED, STOPPED = 1, 130


def main(words: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(words)
    if args.trace:
        return trace(args.first)
    played, began, is_stopped = Played(), time.monotonic(), False
    end = args.first + args.seeds
    chunks = [range(n, min(n + CHUNK, end)) for n in range(args.first, end, CHUNK)]
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with in_processes(min(args.jobs, len(chunks)), chunks) as found:
            gather(found, played, args.seeds)
    except KeyboardInterrupt:
        is_stopped = True
    finally:
        signal.signal(signal.SIGTERM, before)
    print(f"{'stopped after ' if is_stopped else ''}{line(played, args.seeds)}", end="")
    print(f", in {time.monotonic() - began:.0f} s")
    lacking = (SOMETIMES | SOMETIMES_WITH_WORKERS) - set(played.seen)
    if lacking and played.numbers >= ENOUGH:
        print(f"never happened, so never tried: {', '.join(sorted(lacking))}")
    for number in sorted(played.broken):
        print(f"again: python -m tests.simulation --from {number} --trace")
    if played.broken or (lacking and played.numbers >= ENOUGH):
        return FAILED
    return STOPPED if is_stopped else 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=positive, default=20_000, help="how many; default: 20000")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first; default: 0")
    parser.add_argument(
        "--jobs", type=positive, default=os.cpu_count() or 1, help="default: one for each core"
    )
    parser.add_argument("--trace", action="store_true", help="only the first seed, step by step")
    return parser


def positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


@contextmanager
def in_processes(jobs: int, chunks: Sequence[range]) -> Iterator[Iterable[Played]]:
    """Yield what each chunk has shown, as soon as it has."""
    if jobs == 1:
        with numbered.rare_collections():
            yield map(numbered.play_all, chunks)
        return
    pool = multiprocessing.get_context("fork").Pool(jobs, initializer=begin_process)
    try:
        yield pool.imap_unordered(numbered.play_all, chunks)
    finally:
        pool.terminate()
        pool.join()


def begin_process() -> None:
    # Ctrl-C goes to each process of the terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    numbered.collect_rarely()


def gather(found: Iterable[Played], played: Played, of: int) -> None:
    printed_at = time.monotonic()
    for more in found:
        played.add(more)
        for number, broken in sorted(more.broken.items()):
            print(f"seed {number}: {broken}", flush=True)
        if time.monotonic() - printed_at >= PRINTED_EVERY_S:
            printed_at = time.monotonic()
            print(line(played, of), flush=True)


def line(played: Played, of: int) -> str:
    pace = played.numbers / played.cpu_s if played.cpu_s else 0.0
    broken = len(played.broken)
    return f"{played.numbers} of {of} seeds, {broken} broken, {pace:.1f} seeds/s and core"


def trace(number: int) -> int:
    """Play one scenario, and print its trace and what did not hold."""
    told: list[str] = []
    try:
        play(number, overlap=numbered.has_workers(number), trace=told)
    except Exception as broken:
        print(*told, f"seed {number}: {type(broken).__name__}: {broken}", sep="\n")
        return FAILED
    print(*told, f"seed {number}: all promises held", sep="\n")
    return 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(main())
