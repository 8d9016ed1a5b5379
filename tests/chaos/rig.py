"""Real daemons on real servers, which are killed, frozen, cut off, slowed down and restarted.

    .venv/bin/python -m tests.chaos.rig [PAIR…] [--faults 50 | --minutes 10] [--seed 1]
                                        [--logs FOLDER] [--json FILE]

Prints the faults, what became of every occurrence, the story of those that break a promise, and a
table with a line for each kind of fault; it ends with 1 if a promise was broken. PAIR: a store and
a broker, such as postgresql+redis; default: the usual ones.
"""

import argparse
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import json

from tests.chaos import fault_table, machine, outcomes
from tests.chaos.asking import SETTLE_S, history, reported_until, settled
from tests.chaos.entries import RULES
from tests.chaos.fault_table import lines
from tests.chaos.faults import Fault, schedule, usual
from tests.chaos.moments import moments_of
from tests.chaos.pair import FILES, PAIRS, Pair, pair_of
from tests.chaos.report import HEAD, Run, broken, gaps, plain, row
from tests.chaos.stage import DAEMONS, Stage, stage
from tests.chaos.story import story
from tests.chaos.strike import prepared
from tests.chaos.verdict import ENDED, OPEN, Struck, Violation, judge
from tests.chaos.watch import ON_TIME_S, Watch
from tests.chaos.workers import Workers

# ruff: noqa: T201
START_S = 30.0
PREPARE_S = 0.2  # between a fault that is prepared and its instant
BACK_S = 60.0  # that all entries may take until they are on time after a fault
MOST_FAULTS_A_MINUTE = 30  # each is followed by two seconds on time
TOLD = 10  # violations, each of another kind or moment, whose story is told


def run(
    pair: Pair,
    faults: Sequence[Fault],
    folder: Path,
    *,
    minutes: float = math.inf,
    workers: int = 1,
) -> Run:
    """Strike one fault after the other, each when all entries are on time, and judge at the end.

    No fault is struck after so many minutes.
    """
    with (
        stage(pair, folder, {fault.kind for fault in faults}) as here,
        closing(Workers(here.url(pair.broker), folder, workers)) as crew,
    ):

        def supervise() -> None:
            here.daemons.supervise()
            crew.supervise()

        with consumed(here, folder / "arrivals.jsonl") as watch:
            if watch.on_time_within(START_S, supervise) is None:
                raise TimeoutError(f"not all entries run; the logs are in {folder}")
            ends, struck = time.monotonic() + minutes * 60, list[Struck]()
            for fault in faults:
                if (left_s := ends - time.monotonic()) <= 0:
                    break
                struck.append(strike(fault, len(struck), here, watch, supervise, left_s))
            open_for_good = not settled(here)
            ended = time.time()
            known_until = reported_until(here, crew) if workers else ended
            for number in range(DAEMONS):
                here.daemons.end(number, signal.SIGTERM)
        records = history(here)
        found = judge(RULES, watch.all, records, struck, ended - ON_TIME_S, atomic=pair.one)
        moments = moments_of(RULES, watch.all, found.violations, ended - ON_TIME_S)
        found.violations += [Violation(ENDED, words) for words in here.daemons.ended]
        if open_for_good:
            found.violations.append(Violation(OPEN, f"for {SETTLE_S:.0f} s after the last fault"))
        known = outcomes.judge(crew.executed(), records, struck, known_until)
        found.violations += known.violations
        logs = [here.daemons.log(number) for number in range(DAEMONS)]
        alike = {(one.kind, one.planned): one for one in reversed(found.violations)}
        for violation in [*reversed(alike.values())][:TOLD]:
            told = story(violation, watch.all, records, struck, logs, here.daemons.numbers)
            print(*told, sep="\n", flush=True)
    return Run(struck, found, known, lines(moments, struck))


@contextmanager
def consumed(here: Stage, file: Path) -> Iterator[Watch]:
    """Have the consumer write down all messages, at the end those too that are still queued."""
    consumer = [sys.executable, "-m", "tests.chaos.consumer", here.url(here.pair.broker)]
    with file.open("wb") as written, file.open("rb") as lines:
        process = subprocess.Popen(consumer, stdout=written, start_new_session=True)
        try:
            watch = Watch(lines)
            yield watch
            process.send_signal(signal.SIGTERM)
            assert process.wait(SETTLE_S) == 0, "the consumer failed"
            watch.read()
        finally:
            process.kill()
            process.wait()


def strike(
    fault: Fault,
    nth: int,
    here: Stage,
    watch: Watch,
    supervise: Callable[[], None],
    left_s: float,
) -> Struck:
    leader = here.daemons.numbers[watch.all[-1].pid]
    standby = (leader + 1 + nth % (DAEMONS - 1)) % DAEMONS
    act, mend = prepared(fault, here, leader, standby)
    leads = here.daemons.leads()
    until_instant(fault.offset_s)
    at = time.time()
    act()
    time.sleep(max(0.0, at + fault.lasts_s - time.time()))
    mend()
    mended = time.time()
    back = watch.on_time_within(BACK_S, supervise)
    if fault.kind == "memory":  # it may end without its memory, and is started again
        here.daemons.ended.clear()
    told = (
        f"not on time within {BACK_S} s" if back is None else f"on time {back - mended:.1f} s later"
    )
    left = "" if math.isinf(left_s) else f"{_clock(left_s)} left, "
    print(f"  {left}{nth + 1:3} {fault}; mended {mended - at:.1f} s, {told}", flush=True)
    return Struck(fault, at, mended, back, here.daemons.leads() - leads)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def until_instant(offset_s: float) -> None:
    """Return when the next whole second, and the offset from there, has come."""
    soonest = time.time() + PREPARE_S
    instant = int(soonest - offset_s) + 1 + offset_s
    while (left := instant - time.time()) > 0:
        time.sleep(left)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=", ".join(PAIRS))
    parser.add_argument("--faults", type=int, default=50, help="that each pair suffers")
    parser.add_argument("--minutes", type=float, help="that each pair suffers, instead of --faults")
    parser.add_argument("--seed", default="1", help="that the faults are drawn from")
    parser.add_argument("--only", action="append", metavar="KIND", help="of fault; may be repeated")
    parser.add_argument("--logs", type=Path, help="keep them there")
    parser.add_argument("--json", type=Path, help="write the verdicts there")
    given = parser.parse_args()
    try:
        pairs = [pair_of(name) for name in given.pairs or PAIRS]
    except ValueError as error:
        parser.error(str(error))
    minutes = given.minutes or math.inf
    count = given.faults if given.minutes is None else int(minutes * MOST_FAULTS_A_MINUTE)
    rows, verdicts, whole = [HEAD], [], True
    with tempfile.TemporaryDirectory(prefix="beatd-rig-") as fleeting:
        for pair in pairs:
            folder = (given.logs or Path(fleeting)) / str(pair)
            folder.mkdir(parents=True)
            more, without = machine.kinds(pair)
            kinds = usual(pair.servers, file=pair.store in FILES) + more
            kinds = [one for one in kinds if one[0] in (given.only or [one[0]])]
            faults = schedule(f"{given.seed} {pair}", count, kinds)
            length = f"{count} faults" if math.isinf(minutes) else f"faults for {minutes:g} minutes"
            print(f"{pair}, seed {given.seed}: {length}", flush=True)
            for reason in without:
                print(f"  left out, {reason}")
            found = run(pair, faults, folder, minutes=minutes)
            print(gaps(str(pair), found.verdict), found.outcomes, sep="\n")
            print("", fault_table.text(found.table), broken(found.verdict), sep="\n", flush=True)
            rows.append(row(str(pair), len(found.struck), found.verdict))
            verdicts.append(plain(str(pair), given.seed, found))
            whole = whole and not found.verdict.violations
    if given.minutes is None:
        print("", *rows, sep="\n")
    if given.json:
        given.json.write_bytes(json.format(json.encode(verdicts)))
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
