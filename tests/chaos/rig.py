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
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec import json

from tests.chaos import fault_table, machine, outcomes
from tests.chaos.asking import SETTLE_S, history, reported_until, settled
from tests.chaos.campaign import consumed, strike_all
from tests.chaos.entries import RULES
from tests.chaos.fault_table import lines
from tests.chaos.faults import MOST_A_MINUTE, Fault, schedule, usual
from tests.chaos.moments import moments_of
from tests.chaos.pair import FILES, PAIRS, SENTINEL, Pair, pair_of
from tests.chaos.report import HEAD, Run, broken, gaps, plain, row
from tests.chaos.stage import DAEMONS, stage
from tests.chaos.story import story
from tests.chaos.verdict import ENDED, OPEN, Violation, judge
from tests.chaos.watch import ON_TIME_S
from tests.chaos.workers import Workers
from tests.run.servers import DoesNotStart

# ruff: noqa: T201
START_S = 30.0
PREPARE_S = 0.2  # between a fault that is prepared and its instant
BACK_S = 60.0  # that all entries may take until they are on time after a fault
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

        with consumed(here, folder / "arrivals.jsonl", RULES) as watch:
            if (since := watch.on_time_within(START_S, supervise)) is None:
                raise TimeoutError(f"not all entries run; the logs are in {folder}")
            struck = strike_all(faults, here, watch, supervise, minutes)
            open_for_good = not settled(here)
            ended = time.time()
            known_until = reported_until(here, crew) if workers else ended
            for number in range(DAEMONS):
                here.daemons.end(number, signal.SIGTERM)
        records = history(here)
        kind = {"atomic": pair.one, "forgets": pair.store == SENTINEL}
        found = judge(RULES, watch.all, records, struck, ended - ON_TIME_S, **kind)
        moments = moments_of(RULES, watch.all, found, since, ended - ON_TIME_S)
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
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # and clean up
    try:
        pairs = [pair_of(name) for name in given.pairs or PAIRS]
    except ValueError as error:
        parser.error(str(error))
    minutes = given.minutes or math.inf
    count = given.faults if given.minutes is None else int(minutes * MOST_A_MINUTE) + 1
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
    try:
        sys.exit(main())
    except DoesNotStart as reason:
        sys.exit(str(reason))
