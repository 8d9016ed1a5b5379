"""Many scenarios of the simulator, on all cores.

    .venv/bin/python -m tests.simulation [--seeds 20000] [--from 0] [--jobs 2]

Prints how far it is, and each seed that breaks a promise, with the story of the shortest life that
still does. It ends with 1 if there are any, and with 130 if it was stopped. With --trace it plays
one seed and prints what happens in it. A long run also fails if some fault never struck some call
of a daemon, or if no life took a branch that is not listed in unreached.py.
"""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from tests.run.positive import positive
from tests.simulation import branches, call_sites, figures, numbered
from tests.simulation.course import Aimed, Course
from tests.simulation.decisions import Script
from tests.simulation.failures import STORIES_MAX, failure
from tests.simulation.numbered import Played
from tests.simulation.planted_bugs import PLANTED, planted
from tests.simulation.scenario import play
from tests.simulation.shrink_life import SECONDS_MAX, replay
from tests.simulation.sometimes import SOMETIMES, SOMETIMES_WITH_WORKERS
from tests.simulation.story import story

# ruff: noqa: T201
CHUNK = 20
CHUNKS_PER_PROCESS = 20
ENOUGH = 1000  # scenarios, in which all of SOMETIMES must have happened
LONG = 5000  # scenarios, in which each fault must have struck each call
PRINTED_EVERY_S = 10.0
FAILED, STOPPED = 1, 130


def main(words: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(words)
    with planted(args.plant) if args.plant else nullcontext():
        if args.decisions is not None:
            return again(Script.read(args.decisions), is_traced=args.trace)
        if args.trace:
            return trace(args.first)
        with branches.counted() if args.coverage or args.seeds >= LONG else nullcontext():
            return many(args)


def many(args: argparse.Namespace) -> int:
    played, began, is_stopped = Played(), time.monotonic(), False
    end = args.first + args.seeds
    chunks = [range(n, min(n + CHUNK, end)) for n in range(args.first, end, CHUNK)]
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with in_processes(min(args.jobs, len(chunks)), chunks) as found:
            gather(found, played, args.seeds)
        if args.seeds >= LONG:
            call_sites.aim(played)
            played.branches.update(branches.taken())
    except KeyboardInterrupt:
        is_stopped = True
    finally:
        signal.signal(signal.SIGTERM, before)
    seconds = time.monotonic() - began
    print(f"{'stopped after ' if is_stopped else ''}{line(played, args.seeds)}", end="")
    print(f", in {seconds:.0f} s")
    if played.aimed:
        print(f"and {played.aimed} lives with a fault at a call that none had struck")
    if args.coverage:
        print(*figures.coverage(played), sep="\n")
    if args.json is not None:
        figures.write(args.json, played, seconds)
    lacking = sorted((SOMETIMES | SOMETIMES_WITH_WORKERS) - set(played.seen))
    if played.numbers >= LONG and not is_stopped:
        lacking += figures.lacking(played)
    if lacking and played.numbers >= ENOUGH:
        print("never happened, so never tried:", *lacking, sep="\n  ")
    tell(played, args)
    if played.broken or played.broken_aimed or (lacking and played.numbers >= ENOUGH):
        return FAILED
    return STOPPED if is_stopped else 0


def tell(played: Played, args: argparse.Namespace) -> None:
    """Print the stories of the first lives that broke a promise, and how to repeat each."""
    lives = [(number, Course) for number in sorted(played.broken)]
    for (number, fault, where), broken in sorted(played.broken_aimed.items()):
        print(f"seed {number} with {fault} {where}: {broken}", flush=True)
        lives.append((number, partial(Aimed, fault, where)))  # type: ignore[arg-type]
    for n, (number, course) in enumerate(lives):
        if n < STORIES_MAX and args.shrink_s:
            told = failure(
                number,
                overlap=numbered.has_workers(number),
                seconds=args.shrink_s,
                planted=args.plant,
                course=course,
            )
            print(*told, sep="\n", flush=True)
        else:
            print(f"again: python -m tests.simulation --from {number} --trace")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=positive, default=20_000, help="how many; default: 20000")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first; default: 0")
    parser.add_argument(
        "--jobs", type=positive, default=os.cpu_count() or 1, help="default: one for each core"
    )
    parser.add_argument("--trace", action="store_true", help="only the first seed, step by step")
    parser.add_argument(
        "--decisions", type=Path, metavar="FILE", help="only the life that a story has named"
    )
    parser.add_argument(
        "--shrink-s",
        type=float,
        default=SECONDS_MAX,
        metavar="SECONDS",
        help="how long a life that fails is made shorter; 0: not at all; default: 60",
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="print how often each fault struck each call, and which branches were not taken",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--plant",
        choices=sorted(PLANTED),
        default="",
        metavar="BUG",
        help="with a bug of planted_bugs.py in the engine",
    )
    return parser


@contextmanager
def in_processes(jobs: int, chunks: Sequence[range]) -> Iterator[Iterable[Played]]:
    """Yield what each chunk has shown, as soon as it has."""
    if jobs == 1:
        with numbered.rare_collections():
            yield map(numbered.play_all, chunks)
        return
    # What a life leaves makes the next one slower, so that a process plays a few hundred of them.
    pool = multiprocessing.get_context("fork").Pool(
        jobs, initializer=begin_process, maxtasksperchild=CHUNKS_PER_PROCESS
    )
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
    return ended(
        f"seed {number}",
        told,
        lambda: play(number, overlap=numbered.has_workers(number), trace=told),
    )


def again(script: Script, *, is_traced: bool) -> int:
    """Play the life of a story, and print the story, or with --trace all that happens in it."""
    told: list[str] = []
    if is_traced:
        return ended(f"seed {script.seed}", told, lambda: replay(script, trace=told))
    told = story(script)
    print(*told, sep="\n")
    return FAILED if len(told) > 1 else 0


def ended(who: str, told: Sequence[str], life: Callable[[], object]) -> int:
    try:
        life()
    except Exception as broken:
        print(*told, f"{who}: {type(broken).__name__}: {broken}", sep="\n")
        return FAILED
    print(*told, f"{who}: all promises held", sep="\n")
    return 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(main())
