"""Real daemons on real servers, which are killed, frozen, cut off, slowed down and restarted.

    .venv/bin/python -m tests.chaos.rig [PAIR…] [--faults 50] [--seed 1] [--logs FOLDER] [--json F]

Prints the faults, what became of every occurrence, and the story of those that break a promise; it
ends with 1 if there are any. PAIR: a store and a broker, such as postgresql+redis; default: all.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import json

from tests.chaos.entries import RULES
from tests.chaos.faults import Fault, schedule
from tests.chaos.pair import FILES, PAIRS, Pair
from tests.chaos.report import HEAD, gaps, plain, row
from tests.chaos.stage import DAEMONS, Stage, stage
from tests.chaos.story import story
from tests.chaos.strike import prepared
from tests.chaos.verdict import ENDED, OPEN, Record, Struck, Verdict, Violation, judge
from tests.chaos.watch import ON_TIME_S, Watch
from tests.process import BEATD
from tests.waiting import until

# ruff: noqa: T201
START_S = 30.0
PREPARE_S = 0.2  # between a fault that is prepared and its instant
BACK_S = 60.0  # that all entries may take until they are on time after a fault
SETTLE_S = 30.0  # that open claims and backlogs may last after the last fault
TOLD = 10  # violations, each of another kind or moment, whose story is told


def run(pair: Pair, faults: Sequence[Fault], folder: Path) -> Verdict:
    """Strike one fault after the other, each when all entries are on time, and judge at the end."""
    with stage(pair, folder) as here:
        with consumed(here, folder / "arrivals.jsonl") as watch:
            if watch.on_time_within(START_S, here.daemons.supervise) is None:
                raise TimeoutError(f"not all entries run; the logs are in {folder}")
            struck = [strike(fault, nth, here, watch) for nth, fault in enumerate(faults)]
            open_for_good = not settled(here)
            ended = time.time()
            for number in range(DAEMONS):
                here.daemons.end(number, signal.SIGTERM)
        records = json.decode(json.encode(asked(here, "history")), type=list[Record])
        found = judge(RULES, watch.all, records, struck, ended - ON_TIME_S, atomic=pair.one)
        found.violations += [Violation(ENDED, words) for words in here.daemons.ended]
        if open_for_good:
            found.violations.append(Violation(OPEN, f"for {SETTLE_S:.0f} s after the last fault"))
        logs = [here.daemons.log(number) for number in range(DAEMONS)]
        alike = {(one.kind, one.planned): one for one in reversed(found.violations)}
        for violation in [*reversed(alike.values())][:TOLD]:
            told = story(violation, watch.all, records, struck, logs, here.daemons.numbers)
            print(*told, sep="\n", flush=True)
    return found


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


def strike(fault: Fault, nth: int, here: Stage, watch: Watch) -> Struck:
    leader = here.daemons.numbers[watch.all[-1].pid]
    standby = (leader + 1 + nth % (DAEMONS - 1)) % DAEMONS
    act, mend = prepared(fault, here, leader, standby)
    until_instant(fault.offset_s)
    at = time.time()
    act()
    time.sleep(max(0.0, at + fault.lasts_s - time.time()))
    mend()
    mended = time.time()
    back = watch.on_time_within(BACK_S, here.daemons.supervise)
    told = (
        f"not on time within {BACK_S} s" if back is None else f"on time {back - mended:.1f} s later"
    )
    print(f"  {nth + 1:3} {fault}; mended {mended - at:.1f} s, {told}", flush=True)
    return Struck(fault, at, mended, back)


def settled(here: Stage) -> bool:
    """Return True when no claim is open and no backlog is left, False when that takes too long."""

    def nothing_left() -> bool:
        status = asked(here, "status")
        return not status["unknowns"] and not status["requests"]["count"]

    try:
        until(nothing_left, SETTLE_S, "")
    except TimeoutError:
        return False
    return True


def until_instant(offset_s: float) -> None:
    """Return when the next whole second, and the offset from there, has come."""
    soonest = time.time() + PREPARE_S
    instant = int(soonest - offset_s) + 1 + offset_s
    while (left := instant - time.time()) > 0:
        time.sleep(left)


def asked(here: Stage, command: str) -> Any:
    """Return what a command of beatd prints, asked without any cable."""
    words: list[str | Path] = [BEATD, command, "--json", "--store", here.url(here.pair.store)]
    done = subprocess.run(words, stdout=subprocess.PIPE)
    return json.decode(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=", ".join(PAIRS))
    parser.add_argument("--faults", type=int, default=50, help="that each pair suffers")
    parser.add_argument("--seed", default="1", help="that the faults are drawn from")
    parser.add_argument("--logs", type=Path, help="keep them there")
    parser.add_argument("--json", type=Path, help="write the verdicts there")
    given = parser.parse_args()
    if unknown := [name for name in given.pairs if name not in PAIRS]:
        parser.error(f"no such pair: {', '.join(unknown)}; there are {', '.join(PAIRS)}")
    rows, verdicts, whole = [HEAD], [], True
    with tempfile.TemporaryDirectory(prefix="beatd-rig-") as fleeting:
        for name in given.pairs or PAIRS:
            pair, folder = PAIRS[name], (given.logs or Path(fleeting)) / name
            folder.mkdir(parents=True)
            faults = schedule(
                f"{given.seed} {name}", given.faults, pair.servers, file=pair.store in FILES
            )
            print(f"{name}, seed {given.seed}: {len(faults)} faults", flush=True)
            found = run(pair, faults, folder)
            print(gaps(name, found), flush=True)
            rows.append(row(name, faults, found))
            verdicts.append(plain(name, given.seed, faults, found))
            whole = whole and not found.violations
    print(*rows, sep="\n")
    if given.json:
        given.json.write_bytes(json.format(json.encode(verdicts)))
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
